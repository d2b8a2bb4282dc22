greet
mkdir -p vendor/greetings
cd vendor/greetings && git init -q && echo 'TODO: the other languages' >README.md && commit
