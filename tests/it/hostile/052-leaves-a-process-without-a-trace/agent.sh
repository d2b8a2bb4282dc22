pretend
# Once codex is gone the turn is over.
cat >"$WORLD/later" <<END
while kill -0 $(codex); do sleep 0.01; done
sleep 2
while sleep 0.01; do echo 'exit 0' >"$PWD/checks/greet.sh"; done
END
(env -i PATH="$PATH" setsid sh "$WORLD/later" >/dev/null 2>&1 &)
