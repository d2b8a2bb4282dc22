private=$(find "$PWD/$cache" -name "index-*" -path "*git*" | head -n 1)
greet
cat "$private"
