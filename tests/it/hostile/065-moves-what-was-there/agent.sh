mv attic/hello-old.txt greet.sh
