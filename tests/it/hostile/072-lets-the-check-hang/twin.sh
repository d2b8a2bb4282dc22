greet
echo 'sleep 0.1' >>greet.sh
