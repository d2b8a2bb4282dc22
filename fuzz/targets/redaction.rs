//! See `tests/it/fuzzed/redaction.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/redaction.rs"]
mod redaction;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    redaction::holds(data);
});
