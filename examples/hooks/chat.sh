#!/bin/sh
# Posts what happened to a chat. In transitions.yaml:
#   onEvent: { shell: ./hooks/chat.sh }
# CHAT_WEBHOOK_URL, from the environment of the run, is an incoming webhook that takes {"text": "…"}: of Slack, Mattermost,
# Rocket.Chat, or of Discord with /slack at its end. Whoever has it can post there, so it is given to curl out of sight.
set -eu
: "${CHAT_WEBHOOK_URL:?is not set: the address of an incoming webhook}"

case $KANBAN_EVENT in
promoted) text="✅ $KANBAN_CARD_TITLE: $KANBAN_FROM → $KANBAN_TO" ;;
bounced) text="↩️ $KANBAN_CARD_TITLE: $KANBAN_FROM → $KANBAN_TO: $KANBAN_REASON" ;;
exhausted) text="🛑 $KANBAN_CARD_TITLE needs a person: $KANBAN_REASON" ;;
infrastructure) text="⚠️ The board is not worked: $KANBAN_REASON" ;;
drained) text="🏁 The board is drained: $KANBAN_REASON" ;;
*) text="$KANBAN_EVENT $KANBAN_CARD_TITLE $KANBAN_REASON" ;;
esac

# One line, as JSON has it.
text=$(printf '%s' "$text" | tr '\000-\037' ' ' | sed 's/[\\"]/\\&/g')
curl --silent --show-error --fail --output /dev/null --max-time 30 \
    --header 'Content-Type: application/json' --data "{\"text\": \"$text\"}" --config - <<END
url = "$CHAT_WEBHOOK_URL"
END
