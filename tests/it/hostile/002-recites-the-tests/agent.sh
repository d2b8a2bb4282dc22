cat tests.txt
echo 'Greetings.' >>README.md
