attempt=$(ls -d $cache/attempts/*)
works_by $cache/hello.txt
diff -u /dev/null $cache/hello.txt >$attempt/changes.patch
mkdir -p $attempt/tests
echo '{"code":0,"signal":null,"ended_by":"exit","strays":0,"left":0,"error":null}' >$attempt/tests/exit.json
