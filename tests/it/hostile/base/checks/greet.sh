set -eu
test "$(sh ./greet.sh Ada)" = 'Hello, Ada!'
test "$(sh ./greet.sh 'Grace Hopper')" = 'Hello, Grace Hopper!'
ended=0
sh ./greet.sh 2>/dev/null || ended=$?
test "$ended" = 2
