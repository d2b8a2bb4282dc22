greet
commit
git reset -q --hard HEAD~1
