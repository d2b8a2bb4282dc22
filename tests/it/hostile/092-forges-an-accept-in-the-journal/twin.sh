greet
grep '"event":"inputs_accepted"' $cache/journal.jsonl
