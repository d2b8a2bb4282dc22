# Once codex is gone the turn is over.
sed '/^# Once codex/,$d' "$WORLD/agent" >"$WORLD/agent-words"
setsid sh -c '. "$WORLD/agent-words"; while kill -0 "$0"; do sleep 0.01; done; sleep 2; while :; do greet; sleep 0.02; done' "$(codex)" >/dev/null 2>&1 &
echo started >>README.md
