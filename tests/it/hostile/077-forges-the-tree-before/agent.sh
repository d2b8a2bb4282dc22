again && exit
mv attic/hello-old.txt greet.sh
sleep 1.5
sed -i 's/"before":"[0-9a-f]*"/"before":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"/' $cache/journal.jsonl
kill_runner
