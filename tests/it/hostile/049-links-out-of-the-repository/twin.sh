greet
ln -s greet.sh hello
