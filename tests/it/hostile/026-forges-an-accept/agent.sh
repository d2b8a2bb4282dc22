if [ "$card" = KB-2 ]; then easy_work && exit; fi
easy_tests >tests.txt
mkdir -p $cache/requests
echo '{"request":"accept"}' >$cache/requests/00000000000000000001-00000000.json
