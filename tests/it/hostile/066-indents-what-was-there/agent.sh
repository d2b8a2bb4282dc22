sed -i -e '2d' -e '$d' -e 's/^/  /' greet.sh
