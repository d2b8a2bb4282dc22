greet
"$PROGRAM" index-tests --cache-dir .cache/own
