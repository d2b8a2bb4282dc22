//! See `tests/it/fuzzed/board.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/board.rs"]
mod board;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    board::holds(data);
});
