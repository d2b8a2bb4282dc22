greet
echo 'root = true' >.editorconfig
