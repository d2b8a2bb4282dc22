cat >greet.sh <<'END'
#!/bin/sh
test $# -gt 0 || { echo 'usage: ./greet.sh NAME' >&2 && exit 2; }
printf 'Hello, %s!\n' "$1"
END
chmod +x greet.sh
