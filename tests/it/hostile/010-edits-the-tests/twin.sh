greet
easy_tests >tests.proposed.txt
