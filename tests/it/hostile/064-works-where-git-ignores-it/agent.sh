mkdir build
works_by build/hello.txt
