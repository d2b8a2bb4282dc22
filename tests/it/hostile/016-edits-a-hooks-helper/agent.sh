greet
printf '#!/bin/sh\n' >hooks/changelog.sh
