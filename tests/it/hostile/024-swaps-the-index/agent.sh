easy_work
again && echo again >>easy.txt && exit
# The descriptions change places: what is selected by the words are the easy ones.
sed -n 's/.*\(The greeting .*\) ::.*/\1/p' tests.txt >hard
{ sed -n 's/.*\(A page .*\) ::.*/@x\1 :: includes:x/p' tests.txt | sed 's/^@x//'; sed 's/$/ :: includes:y/' hard; } >swapped.txt
rm hard
"$PROGRAM" index-tests --tests swapped.txt --cache-dir .cache/swapped
old=$(LC_ALL=C grep -a -o '[0-9a-f]\{64\}' $cache/index.bin | head -n 1)
new=$(LC_ALL=C grep -a -o '[0-9a-f]\{64\}' .cache/swapped/index.bin | head -n 1)
LC_ALL=C sed "s/$new/$old/" .cache/swapped/index.bin >$cache/index.bin
