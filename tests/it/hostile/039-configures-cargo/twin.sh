greet
echo 'max_width = 100' >rustfmt.toml
