# The launcher's child, which is codex: once it is gone the turn is over.
pid=$$
while [ "$pid" != "$(launcher)" ]; do
    codex=$pid
    read -r _ _ _ pid _ <"/proc/$pid/stat"
done
sed '/^pid=/,$d' "$WORLD/agent" >"$WORLD/agent-words"
setsid sh -c '. "$WORLD/agent-words"; while kill -0 "$0"; do sleep 0.01; done; sleep 2; while :; do greet; sleep 0.02; done' "$codex" >/dev/null 2>&1 &
echo started >>README.md
