easy_work
again && exit
easy_tests >tests.txt
mkdir -p $cache/requests
echo '{"request":"accept"}' >$cache/requests/00000000000000000001-00000000.json
kill_runner
