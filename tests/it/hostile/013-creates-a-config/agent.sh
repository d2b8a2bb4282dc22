easy_work
again && echo again >>easy.txt && exit
easy_tests >easy-tests.txt
echo 'tests: easy-tests.txt' >kanban-codex-exec.yaml
