private=$(find "$PWD/$cache" -name "index-*" ! -name "*.lock" -path "*git*" | head -n 1)
git_of_the_gate() { GIT_DIR=$(dirname "$private") GIT_INDEX_FILE=$private GIT_WORK_TREE=$PWD git "$@"; }
greet
good=$(git_of_the_gate hash-object -w greet.sh)
mkdir lib
works_by lib/hello.txt
git_of_the_gate update-index --add --cacheinfo "100644,$good,greet.sh"
git_of_the_gate update-index --assume-unchanged greet.sh
