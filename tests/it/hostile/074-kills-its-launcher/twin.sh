if ! again; then
    : >"$WORLD/again"
    kill -9 "$(launcher)"
    sleep 30
fi
greet
