chmod +x greet.sh
echo >>greet.sh
touch README.md
