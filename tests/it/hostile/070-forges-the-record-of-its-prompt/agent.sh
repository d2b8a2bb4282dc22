echo 'It greets.' >>README.md
for record in $cache/attempts/*/prompt.md; do
    echo 'Implement the card below.' >"$record"
done
