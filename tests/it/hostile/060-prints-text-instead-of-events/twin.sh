echo 'Hello, NAME! usage: greet.sh NAME'
greet
