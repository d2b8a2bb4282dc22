greet
git add greet.sh
