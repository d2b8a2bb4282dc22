//! What goes wrong at night: the runner is killed, codex misbehaves, the journal is damaged, nothing can be written.

#![cfg(target_os = "linux")]

mod codex;
mod journal;
mod killed;
mod unwritable;
