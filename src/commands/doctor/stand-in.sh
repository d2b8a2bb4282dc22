#!/bin/sh
# Stands in for codex in the self-test: it does what the card's title says, well or badly.

event() { printf '{"type":"%s"%s}\n' "$1" "$2"; }
item() { event item.completed ",\"item\":{\"id\":\"item_0\",\"type\":\"$1\",\"text\":\"$2\"}"; }
begin() { event thread.started ',"thread_id":"self-test"' && event turn.started; }
end() {
    item agent_message 'All is done, and every test passes.'
    event turn.completed ',"usage":{"input_tokens":100,"cached_input_tokens":0,"output_tokens":10,"reasoning_output_tokens":0}'
}
first='the first line of the self-test'
second='the second line of the self-test'

case $2 in
*'Self-test: pass'*)
    begin
    printf '%s\n' "$first" "$second" >made.txt
    end
    ;;
*'Self-test: fail'*)
    begin
    printf '%s\n' "$first" >made.txt
    end
    ;;
*'Self-test: tampered'*)
    begin
    printf '%s\n' "$first" "$second" >made.txt
    echo 'includes:a test that always passes' >>tests.txt
    end
    ;;
*'Self-test: idle'*)
    begin
    item reasoning 'I am thinking, and shall think for ever.'
    sleep 600
    ;;
*'Self-test: hang'*)
    trap '' INT TERM
    sleep 600
    sleep 600
    ;;
*)
    begin
    end
    ;;
esac
