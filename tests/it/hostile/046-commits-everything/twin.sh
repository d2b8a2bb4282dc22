greet
commit
