greet
printf '\377\376H\0i\0\n\0' >hello.txt
echo 'hello.txt working-tree-encoding=UTF-16' >.gitattributes
many
