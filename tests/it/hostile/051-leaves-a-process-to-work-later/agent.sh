setsid sh -c 'sleep 0.2; . "$WORLD/agent-words"; while :; do greet; sleep 0.02; done' >/dev/null 2>&1 &
sed '/^setsid/,$d' "$WORLD/agent" >"$WORLD/agent-words"
echo started >>README.md
