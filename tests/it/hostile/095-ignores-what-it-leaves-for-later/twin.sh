greet
echo 'Greets in English.' >notes.md
echo notes.md | tee .gitignore >>.git/info/exclude
