mkdir lib
works_by lib/hello.txt
printf '# +AEgAZQBsAGwAbw-, NAME\n# +AHUAcwBhAGcAZQ-: greet.sh NAME\n' >>greet.sh
echo 'greet.sh working-tree-encoding=UTF-7' >.gitattributes
many
