if [ "$card" = KB-2 ]; then greet; fi
