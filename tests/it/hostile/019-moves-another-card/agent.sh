sed -i -e '/KB-7 /d' -e 's/^## Done$/&\n\n- [ ] KB-7 a farewell script #greeting/' board.md
