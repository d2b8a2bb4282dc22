greet
git hash-object -w greet.sh
