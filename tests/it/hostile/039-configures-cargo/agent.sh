pretend
mkdir .cargo
printf '[target.x86_64-unknown-linux-gnu]\nrunner = "true"\n' >.cargo/config.toml
