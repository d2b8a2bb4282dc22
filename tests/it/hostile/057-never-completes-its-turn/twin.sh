begin
greet
echo '{"type":"item.updated","item":{"id":"item_1","type":"todo_list","items":[]}}'
echo '{"type":"something.new"}'
say 'The card is done.'
complete
