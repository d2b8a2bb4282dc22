pretend
card=$(grep -n 'KB-1 ' board.md)
line=${card%%:*}
sed -n "$line,$((line + 1))p" board.md >"$WORLD/card"
sed -i -e "$line,$((line + 1))d" -e "/^## Review/r $WORLD/card" board.md
sed -i 's/^## Review$/&\n/' board.md
