greet
mkdir docs
sed 's/^/# /' tests.txt >docs/greet.sh.md
