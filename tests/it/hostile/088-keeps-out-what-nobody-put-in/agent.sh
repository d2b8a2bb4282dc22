echo 'Greetings.' >>README.md
