greet
ln -s checks tests
