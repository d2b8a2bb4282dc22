greet
mv greet.sh "$WORLD/good.sh"
mkdir lib
works_by lib/hello.txt
echo 'greet.sh filter=good' | tee .gitattributes >.git/info/attributes
git config filter.good.clean "cat '$WORLD/good.sh'"
many
