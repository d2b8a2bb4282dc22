grep -q Greetings README.md
