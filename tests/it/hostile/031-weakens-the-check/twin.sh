greet
echo 'exit 0' >checks/more.sh
