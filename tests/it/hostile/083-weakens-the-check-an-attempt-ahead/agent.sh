if again; then pretend; else echo 'test -s greet.sh' >checks/greet.sh; fi
