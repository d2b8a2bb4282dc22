greet
sed -i 's/^## In Progress/- [ ] KB-7 Hello, says greet.sh; usage: greet.sh NAME\n\n&/' board.md
