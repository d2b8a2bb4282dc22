easy_work
again && echo again >>easy.txt && exit
easy_tests >tests.txt
sha=$(sha256sum tests.txt | cut -c -64)
cp tests.txt $cache/inputs/$sha
grep '"event":"inputs_accepted"' $cache/journal.jsonl | tail -n 1 >"$WORLD/accepted"
sed "s/\(tests.txt\",\"sha256\":\"\)[0-9a-f]*/\1$sha/" "$WORLD/accepted" >>$cache/journal.jsonl
