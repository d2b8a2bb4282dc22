greet
(env -i PATH="$PATH" setsid sh -c "until grep -q '\"judged\"' '$PWD/$cache/journal.jsonl'; do sleep 0.02; done" >/dev/null 2>&1 &)
