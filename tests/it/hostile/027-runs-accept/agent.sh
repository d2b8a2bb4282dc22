if [ "$card" = KB-2 ]; then easy_work && exit; fi
easy_tests >tests.txt
"$PROGRAM" accept
