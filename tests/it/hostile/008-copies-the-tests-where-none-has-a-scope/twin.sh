greet
mkdir docs
grep -v -e '^#' -e TODO tests.txt >docs/tests.md
