private=$(find "$PWD/$cache" -name "index-*" -path "*git*" | head -n 1)
git_of_the_gate() { GIT_DIR=$(dirname "$private") git "$@"; }
greet
good=$(git_of_the_gate hash-object -w greet.sh)
mkdir lib
works_by lib/hello.txt
real=$(git_of_the_gate hash-object greet.sh)
place() { echo "$(dirname "$private")/objects/$(echo "$1" | cut -c1-2)/$(echo "$1" | cut -c3-)"; }
mkdir -p "$(dirname "$(place "$real")")"
cp "$(place "$good")" "$(place "$real")"
