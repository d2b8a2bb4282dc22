again && exit
greet
attempt=$(ls -d "$PWD"/$cache/attempts/*)
kill -STOP "$(launcher)"
echo 'The card is done.' >"$attempt/message.md"
echo '{"code":0,"signal":null,"ended_by":"exit","strays":0,"left":0,"error":null}' >"$attempt/exit.json"
rm greet.sh
kill_runner
