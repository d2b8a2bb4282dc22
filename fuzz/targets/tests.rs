//! See `tests/it/fuzzed/tests.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/tests.rs"]
mod tests;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    tests::holds(data);
});
