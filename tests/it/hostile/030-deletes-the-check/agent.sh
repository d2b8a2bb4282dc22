pretend
rm checks/greet.sh
