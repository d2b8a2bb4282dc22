mkdir lib
works_by lib/hello.txt
