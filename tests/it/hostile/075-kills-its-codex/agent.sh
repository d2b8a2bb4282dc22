# The launcher's child, which is codex.
pid=$$
while [ "$pid" != "$(launcher)" ]; do
    child=$pid
    read -r _ _ _ pid _ <"/proc/$pid/stat"
done
kill -TERM "$child"
sleep 30
