greet
truncate -s 65M data.bin
