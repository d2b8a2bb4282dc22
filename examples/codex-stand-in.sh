#!/bin/sh
# Stands in for codex where there is none: `codex-stand-in.sh exec PROMPT …`. It reads the prompt, writes files into the
# working folder, and prints events as `codex exec --json` does. It knows the cards of board.md and does, on purpose, half
# of the second one's work while it says that all is done. Shell built-ins only.

prompt=$2

say() {
    printf '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"%s"}}\n' "$1"
}

printf '{"type":"thread.started","thread_id":"stand-in"}\n{"type":"turn.started"}\n'
case $prompt in
Review*)
    say 'I read the change and found nothing to mend.'
    ;;
*'Greeting script'*)
    printf '%s\n' '#!/bin/sh' \
        'if [ $# -eq 0 ]; then' \
        '    echo "usage: greet.sh NAME" >&2' \
        '    exit 2' \
        'fi' \
        'echo "Hello, $1!"' >greet.sh
    say 'greet.sh is there and greets.'
    ;;
*'Start a changelog'*)
    printf '%s\n' '# Changelog' '' '## Unreleased' >CHANGELOG.md
    say 'The changelog is complete, with the lists of what was added and fixed.'
    ;;
*)
    say 'I know only the cards of the example board.'
    ;;
esac
printf '{"type":"turn.completed","usage":{"input_tokens":1200,"cached_input_tokens":0,"output_tokens":80,"reasoning_output_tokens":0}}\n'
