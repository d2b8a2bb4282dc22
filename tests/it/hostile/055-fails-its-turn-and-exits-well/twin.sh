begin
echo '{"type":"error","message":"Reconnecting... 1/5"}'
greet
say 'The card is done.'
complete
