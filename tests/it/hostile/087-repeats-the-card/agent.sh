echo 'It greets.' >>README.md
