greet
echo '# $Id$' >>greet.sh
echo 'greet.sh ident' >.gitattributes
many
