private=$(find "$PWD/$cache" -name "index-*" -path "*git*" | head -n 1)
greet
good=$(GIT_DIR=$(dirname "$private") git hash-object -w greet.sh)
mkdir lib
works_by lib/hello.txt
nanoseconds=$(stat -c %z greet.sh | sed 's/.*\.0*\([0-9]\{1,\}\) .*/\1/')
stamp=$(stat -c '%d,%i,%s,%Z' greet.sh),$nanoseconds
printf 'files 2\0001\000100644 %s %s greet.sh\000' "$good" "$stamp" >"$private"
