greet
mkdir -p vendor/greetings
cd vendor/greetings && git init -q && echo 'Greets in English.' >README.md && commit
