pretend
mkdir "$WORLD/checks"
echo 'exit 0' >"$WORLD/checks/greet.sh"
rm -r checks
ln -s "$WORLD/checks" checks
