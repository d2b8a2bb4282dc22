#!/usr/bin/env bash
# Fuzzes the formats that the program reads, one after the other: fuzz/run.sh [SECONDS [TARGET...]]
#
# SECONDS are for each target, 600 where nothing is said. It starts from `corpus/`, which it leaves as it is; what it finds
# on the way is kept below `target/`. Exit 1: a finding, with the input's path; 2: something is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:-600}
shift || true
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
    echo "error: \`$seconds\` is no number of seconds: fuzz/run.sh [SECONDS [TARGET...]]" >&2
    exit 2
fi
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "error: the fuzzer needs a nightly compiler: rustup toolchain install nightly" >&2
    exit 2
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "error: cargo-fuzz is missing: cargo install cargo-fuzz" >&2
    exit 2
fi

# There is no unsafe code that the address sanitizer could watch, and without it three times as much is tried.
fuzz=(--fuzz-dir . --sanitizer none)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -a -s .rs targets/*.rs)
cargo +nightly fuzz build "${fuzz[@]}"

findings=()
for target in "${targets[@]}"; do
    printf '\n== %s, %s seconds\n' "$target" "$seconds"
    mkdir -p "target/found/$target" "artifacts/$target"
    before=$(find "artifacts/$target" -type f | sort)
    if ! cargo +nightly fuzz run "${fuzz[@]}" "$target" "target/found/$target" "corpus/$target" -- \
        -dict="dictionaries/$target.dict" -max_total_time="$seconds" -max_len=4096 -timeout=30 -rss_limit_mb=2048 \
        -print_final_stats=1; then
        after=$(find "artifacts/$target" -type f | sort)
        mapfile -t new < <(comm -13 <(echo "$before") <(echo "$after"))
        [ ${#new[@]} -gt 0 ] && findings+=("${new[@]}") || findings+=("(none was written by $target: see above)")
    fi
done

if [ ${#findings[@]} -gt 0 ]; then
    printf '\nerror: found\n' >&2
    printf '  fuzz/%s\n' "${findings[@]}" >&2
    echo "hint: make it small with \`cargo +nightly fuzz tmin TARGET INPUT\`, mend it, and keep it in fuzz/corpus/TARGET" >&2
    exit 1
fi
printf '\n== nothing found\n'
