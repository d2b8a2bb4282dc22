greet
touch checks/greet.sh
