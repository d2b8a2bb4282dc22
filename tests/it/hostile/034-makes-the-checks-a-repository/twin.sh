greet
mkdir vendor
cd vendor && git init -q && echo 'A copy.' >README.md && commit
