cat tests.txt
greet
