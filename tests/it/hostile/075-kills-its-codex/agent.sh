kill -TERM "$(codex)"
sleep 30
