if again; then greet; fi
