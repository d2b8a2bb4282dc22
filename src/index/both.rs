//! Two pieces of work on two threads.

use std::panic::resume_unwind;
use std::thread;

/// Does both at once; one after the other where the system has no thread left.
pub fn both<R: Send>(first: impl FnOnce() -> R, second: impl Fn() -> R + Sync) -> [R; 2] {
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, &second) {
        Ok(other) => [first(), other.join().unwrap_or_else(|panic| resume_unwind(panic))],
        Err(_) => [first(), second()],
    })
}
