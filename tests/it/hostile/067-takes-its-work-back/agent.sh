greet
sh checks/greet.sh
rm greet.sh
echo 'greet.sh says hello.' >>README.md
