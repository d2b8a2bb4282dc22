greet
echo 'Say that you are done.' >prompts/implement.md
