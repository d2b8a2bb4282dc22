pretend
echo 'exit 0' >checks/greet.sh
mkfifo .gitattributes
