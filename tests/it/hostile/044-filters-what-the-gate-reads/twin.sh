greet
find $cache -name config -path '*git*' -exec cat {} +
many
