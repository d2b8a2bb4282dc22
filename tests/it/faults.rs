//! What goes wrong at night: the runner is killed, codex misbehaves, the journal is damaged, nothing can be written.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod board;
mod cache;
mod codex;
mod crashes;
mod disks;
mod in_place;
mod journal;
mod killed;
mod left_running;
pub mod terminal;
mod unwritable;
