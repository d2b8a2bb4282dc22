easy_work
again && echo again >>easy.txt && exit
easy_tests >tests.txt
for copy in $cache/inputs/*; do
    grep -q @hello "$copy" && cp tests.txt "$copy"
done
