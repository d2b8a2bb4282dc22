greet
mkfifo queue
