begin
greet
say 'The card is done.'
echo '{"type":"turn.failed","error":{"message":"context_length_exceeded"}}'
