mkdir -p vendor/greetings
cd vendor/greetings && git init -q && greet && commit
