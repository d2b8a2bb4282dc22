mkdir -p $cache/requests
echo '{"request":"retry","card":"KB-1"}' >$cache/requests/00000000000000000001-00000000.json
echo again >>README.md
