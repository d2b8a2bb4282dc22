greet
good=$(git hash-object -w greet.sh)
mkdir lib
works_by lib/hello.txt
many
real=$(git hash-object greet.sh)
place() { echo ".git/objects/$(echo "$1" | cut -c1-2)/$(echo "$1" | cut -c3-)"; }
mkdir -p "$(dirname "$(place "$real")")"
cp "$(place "$good")" "$(place "$real")"
