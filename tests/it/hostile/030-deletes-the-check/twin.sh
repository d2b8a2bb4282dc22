greet
echo 'sh ./greet.sh Ada' >checks/more.sh
