private=$(find "$PWD/$cache" -name "index-*" ! -name "*.lock" -path "*git*" | head -n 1)
git_of_the_gate() { GIT_DIR=$(dirname "$private") GIT_INDEX_FILE=$private GIT_WORK_TREE=$PWD git "$@"; }
greet
git_of_the_gate ls-files
