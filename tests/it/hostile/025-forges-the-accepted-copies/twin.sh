greet
cp -r $cache/inputs copies
