if ! again; then
    : >"$WORLD/again"
    kill -TERM "$(codex)"
    sleep 30
fi
greet
