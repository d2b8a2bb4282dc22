set -eu
test -x greet.sh
test "$(./greet.sh Ada)" = 'Hello, Ada!'
