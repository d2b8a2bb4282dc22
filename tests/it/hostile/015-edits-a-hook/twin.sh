greet
echo '- greet.sh' >CHANGELOG.md
