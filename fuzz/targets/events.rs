//! See `tests/it/fuzzed/events.rs`.

#![no_main]

#[path = "../../tests/it/fuzzed/events.rs"]
mod events;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    events::holds(data);
    // Megabytes for every input would leave no time for inputs.
    if data.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) == 0 {
        events::long(data);
    }
});
