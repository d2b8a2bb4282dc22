greet
mkdir lib
echo 'NAME=World' >lib/defaults.txt
