easy_work
again && exit
easy_tests >tests.txt
kill_runner
