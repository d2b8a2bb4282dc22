greet
echo 'TODO: the other languages' >>README.md
