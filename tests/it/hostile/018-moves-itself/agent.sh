card=$(grep -n 'KB-1 ' board.md)
line=${card%%:*}
sed -n "$line,$((line + 1))p" board.md >"$WORLD/card"
sed -i -e "$line,$((line + 1))d" -e "/^## Done/r $WORLD/card" board.md
sed -i 's/^## Done$/&\n/' board.md
