pretend
cat greet.sh >head
greet
cat greet.sh >>head
mv head greet.sh
