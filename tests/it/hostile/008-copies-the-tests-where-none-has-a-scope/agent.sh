mkdir docs
{ grep -v -e '^#' -e TODO tests.txt && echo 'usage: greet.sh NAME'; } >docs/tests.md
