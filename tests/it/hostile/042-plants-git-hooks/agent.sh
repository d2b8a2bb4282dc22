cp "$WORLD/agent" .git/work
printf '#!/bin/sh\ncd "%s"\n. "%s"\ngreet\n' "$PWD" "$WORLD/words" >.git/hooks/all
sed '/^cp "\$WORLD/,$d' "$WORLD/agent" >"$WORLD/words"
chmod +x .git/hooks/all
for hook in pre-commit post-commit post-checkout post-index-change reference-transaction fsmonitor-watchman; do
    cp .git/hooks/all .git/hooks/$hook
done
git config core.fsmonitor "$PWD/.git/hooks/all"
rm -f greet.sh
