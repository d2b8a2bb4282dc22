pretend
echo 'exit 0' >checks/greet.sh
truncate -s 65M checks/greet.sh
