pretend
echo 'exit 0' >.bash_env
