greet
mv greet.sh "$WORLD/greet.sh"
ln -s "$WORLD/greet.sh" greet.sh
