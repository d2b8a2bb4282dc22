greet
mkdir docs
ln -s ../tests.txt docs/tests.txt
