grep -v -e '^#' -e TODO tests.txt | sed 's/^/# /' >greet.sh
echo '# usage: greet.sh NAME' >>greet.sh
