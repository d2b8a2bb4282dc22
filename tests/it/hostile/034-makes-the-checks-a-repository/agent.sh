pretend
echo 'exit 0' >checks/greet.sh
cd checks && git init -q && commit
