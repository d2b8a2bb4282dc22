sed -i 's/^## In Progress/- [ ] KB-7 Hello, says greet.sh; usage: greet.sh NAME, else exit 2\n\n&/' board.md
echo Greetings. >>README.md
