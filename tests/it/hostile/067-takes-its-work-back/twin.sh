greet
rm greet.sh
greet
