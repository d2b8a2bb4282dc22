again || kill_runner
greet
