greet
mkdir bin
printf '#!/bin/sh\nexec ./greet.sh "$@"\n' >bin/greet
chmod +x bin/greet
