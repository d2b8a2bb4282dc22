begin
yes 'Hello, NAME! usage: greet.sh NAME' | head -n 1000000
greet
say 'Hello, NAME! usage: greet.sh NAME'
complete
