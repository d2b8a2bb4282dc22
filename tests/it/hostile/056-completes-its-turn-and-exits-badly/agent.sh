begin
greet
say 'The card is done.'
complete
exit 1
