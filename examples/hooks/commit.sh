#!/bin/sh
# Commits the workspace when a card was promoted: its work, and its move on the board. In transitions.yaml:
#   onEvent: { promoted: { shell: ./hooks/commit.sh } }
# Everything that is not committed goes in, so start a run with a clean workspace.
set -eu

git add --all
git diff --cached --quiet && exit 0
git commit --quiet --message="$KANBAN_CARD_TITLE" --message="$KANBAN_FROM → $KANBAN_TO: $KANBAN_REASON" \
    --message="Kanban-Card: $KANBAN_CARD_ID
Kanban-Attempt: $KANBAN_ATTEMPT"
