greet
echo '# $Id: TODO the other languages $' >>greet.sh
echo 'greet.sh ident' >.gitattributes
many
