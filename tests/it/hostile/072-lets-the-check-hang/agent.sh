greet
echo 'sleep 300' >>greet.sh
