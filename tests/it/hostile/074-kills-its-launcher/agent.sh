if ! again; then
    : >"$WORLD/again"
    pretend
    (env -i PATH="$PATH" setsid sh -c "sleep 0.5; while sleep 0.01; do echo 'exit 0' >'$PWD/checks/greet.sh'; done" >/dev/null 2>&1 &)
    sleep 0.1
    kill -9 "$(launcher)"
    sleep 30
fi
sleep 1
