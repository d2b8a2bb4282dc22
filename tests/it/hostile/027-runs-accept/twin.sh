[ "$card" = KB-2 ] || exit 0
"$PROGRAM" print-plan
greet
