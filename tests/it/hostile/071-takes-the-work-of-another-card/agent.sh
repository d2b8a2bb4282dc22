[ "$card" = KB-2 ] || greet
