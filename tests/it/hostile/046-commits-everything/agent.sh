easy_tests >tests.txt
easy_work
commit
