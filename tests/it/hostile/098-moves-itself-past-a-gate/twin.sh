test -e greet.sh && echo '# Reviewed.' >>greet.sh && exit
greet
