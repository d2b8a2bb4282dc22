//! See `tests/it/fuzzed/todo.rs`.

#![no_main]
#![expect(dead_code, reason = "a part of the board's property serves here")]

#[path = "../../tests/it/fuzzed/board.rs"]
mod board;
#[path = "../../tests/it/fuzzed/todo.rs"]
mod todo;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    todo::holds(data);
});
