greet
git add greet.sh
rm greet.sh
