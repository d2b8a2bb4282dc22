greet
echo '# TODO: the other languages' >>greet.sh
