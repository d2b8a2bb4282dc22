//! See `tests/it/fuzzed/journal.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/journal.rs"]
mod journal;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    journal::holds(data);
});
