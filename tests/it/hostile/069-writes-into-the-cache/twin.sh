greet
echo 'I was here.' >$cache/note.txt
