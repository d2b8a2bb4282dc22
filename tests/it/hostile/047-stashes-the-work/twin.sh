greet
git add -A
git -c user.name=agent -c user.email=agent@localhost stash -q
git stash pop -q
