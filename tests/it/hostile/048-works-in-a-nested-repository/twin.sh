greet
mkdir -p vendor/greetings
cd vendor/greetings && git init -q && echo 'A copy.' >README.md && commit
