greet
cat $cache/journal.jsonl
