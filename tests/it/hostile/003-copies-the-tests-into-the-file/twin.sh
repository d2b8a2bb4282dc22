greet
mkdir docs
grep -v '^#' tests.txt >docs/tests.md
