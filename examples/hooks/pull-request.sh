#!/bin/sh
# Commits the workspace when a card was promoted to Done, and opens a pull request for it with `gh`. In transitions.yaml:
#   onEvent: { promoted: { shell: ./hooks/pull-request.sh } }
# It needs a login (`gh auth login`, or GH_TOKEN) and the remote `origin`; hookLimit has to suffice for a push. The workspace
# stays on its branch, where the next cards build upon this one: until it is merged, their pull requests hold it, too.
set -eu
[ "$KANBAN_TO" = "${PULL_REQUEST_COLUMN:-Done}" ] || exit 0

git add --all
git diff --cached --quiet ||
    git commit --quiet --message="$KANBAN_CARD_TITLE" --message="$KANBAN_REASON" --message="Kanban-Card: $KANBAN_CARD_ID"

branch=kanban/$(printf '%s' "$KANBAN_CARD_ID" | tr -c 'A-Za-z0-9_-' '-')
git push --quiet --force-with-lease origin "HEAD:refs/heads/$branch"
# One that is open already has got the commits.
open=$(gh pr list --head "$branch" --state open --json number --jq length)
[ "$open" = 0 ] || exit 0
gh pr create --head "$branch" --title "$KANBAN_CARD_TITLE" --body "Card $KANBAN_CARD_ID: $KANBAN_REASON"
