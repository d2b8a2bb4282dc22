//! See `tests/it/fuzzed/transitions.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/transitions.rs"]
mod transitions;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    transitions::holds(data);
});
