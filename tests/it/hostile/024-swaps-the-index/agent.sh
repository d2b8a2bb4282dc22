easy_work
again && echo again >>easy.txt && exit
# The descriptions change places: what is selected by the words are the easy ones.
sed -n 's/.*\(The greeting .*\) ::.*/\1/p' tests.txt >hard
{ sed -n 's/.*\(A page .*\) ::.*/@x\1 :: includes:x/p' tests.txt | sed 's/^@x//'; sed 's/$/ :: includes:y/' hard; } >swapped.txt
rm hard
"$PROGRAM" index-tests --tests swapped.txt --cache-dir .cache/swapped
old=$(LC_ALL=C grep -a -o '[0-9a-f]\{64\}' $cache/index.bin | head -n 1)
new=$(LC_ALL=C grep -a -o '[0-9a-f]\{64\}' .cache/swapped/index.bin | head -n 1)
OLD=$old NEW=$new perl -0777 -pe '
    # The checksums are mended as well: eight bytes at a time, as the store has them.
    sub checksum {
        my ($state, $left) = (length $_[0], $_[0] . "\0" x (8 - length($_[0]) % 8));
        for my $word (unpack "Q<*", $left) {
            $state ^= $word;
            { use integer; $state *= 0x9e3779b97f4a7c15; }
            $state = $state << 29 | $state >> 35;
        }
        pack "Q<", $state ^ $state >> 32;
    }
    s/$ENV{NEW}/$ENV{OLD}/;
    my $header = 8 + 4 + 4 * 2 + 8 * 7 + 8 + 8;
    my ($body) = unpack "Q<", substr $_, $header - 24, 8;
    my $blocks = join "", map checksum($_), unpack "(a4096)*", substr $_, $header, $body;
    substr($_, $header + $body) = $blocks;
    substr($_, $header - 16, 8) = checksum($blocks);
    substr($_, $header - 8, 8) = checksum(substr $_, 0, $header - 8);
' .cache/swapped/index.bin >$cache/index.bin
