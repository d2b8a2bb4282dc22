private=$(find "$PWD/$cache" -name "index-*" -path "*git*" | head -n 1)
greet
GIT_DIR=$(dirname "$private") git hash-object -w greet.sh
