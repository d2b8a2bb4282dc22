[ "$card" = KB-2 ] || exit 0
greet
mkdir -p $cache/requests
echo '{"request":"resume"}' >$cache/requests/00000000000000000001-00000000.json
