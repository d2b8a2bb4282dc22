begin
greet
say 'The card is done.'
