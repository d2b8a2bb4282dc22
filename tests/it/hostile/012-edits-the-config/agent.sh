again && exit
easy_tests >easy-tests.txt
easy_work
echo 'tests: easy-tests.txt' >kanban-codex-exec.yaml
