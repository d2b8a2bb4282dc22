greet
echo 'greet.sh filter=same' | tee .gitattributes >.git/info/attributes
git config filter.same.clean cat
many
