#!/bin/sh
log() { printf '%s\n' "$*" >>"$WORLD/codex.log"; }
case $2 in -) prompt=$(cat) ;; *) prompt=$2 ;; esac
for last in "$@"; do :; done
card=$(printf '%s\n' "$prompt" | grep -o 'KB-[0-9]*' | head -n 1)
step=${prompt%% *}

# No other codex of this world may be alive.
for pid in $(sed -n 's/^start \([0-9]*\) .*/\1/p' "$WORLD/codex.log" 2>/dev/null); do
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "WORLD=$WORLD"; then log "beside $pid"; fi
done
log "start $$ $card $step"

# make WORD: the file that the card asks for gets the line `WORD for KB-1`.
make() { mkdir -p made; printf '%s for %s\n' "$1" "$card" >>"made/$card.txt"; }
say() {
    printf '%s' "$1" >"$last"
    printf '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"%s"}}\n' "$1"
}
# Until the test makes the file; the first of `waiting` says that this point is reached.
wait_for() { : >"$WORLD/waiting"; until [ -e "$WORLD/$1" ]; do sleep 0.01; done; }
# move KB-1 Done: as a person does with an editor; the card is one line.
move() {
    line=$(grep "\] $1 " board.md)
    grep -v "\] $1 " board.md >"$WORLD/board.new"
    awk -v column="## $2" -v line="$line" '{ print } $0 == column { print ""; print line }' "$WORLD/board.new" >board.md
}
begin() { printf '{"type":"thread.started","thread_id":"stand-in"}\n{"type":"turn.started"}\n'; }
complete() {
    printf '{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":0}}\n'
    log "end $$ $card $step"
}
