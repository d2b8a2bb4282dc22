//! Works a Kanban board unattended with `codex exec`: see `README.md` for its users; this page is the architecture.
//!
//! ```text
//!  cli ─► settings ─► provider ─► plan: prompt + selected tests + command   (pure: the same for run, dry-run, print-plan)
//!                                    │
//!               ┌── decide(&State) -> Action  (pure)
//!               │        │
//!               │   Driver::perform(Action) -> records   Live: journals the intent, acts, journals the outcome
//!               │        │                               Simulated: assumes an outcome, holds nothing that could write or spawn
//!               └── State::apply(&Record) ─► report(&Record); a broken display never stops the loop
//! ```
//!
//! Restart is the same fold: the journal is replayed into the state, and an intent without an outcome is an interrupted one.
//!
//! Invariants, kept by `tests/it/tidy.rs`:
//! - Pure modules read no clock, no file, no environment and make no process.
//! - Only [`storage`] writes or renames; only [`process`] makes a child; only [`settings`] reads the environment.
//! - Whoever writes or spawns shows a token that only the run lock gives; [`cycle::simulated`] has none. Who only looks reads
//!   saved trees ([`evidence::SavedTrees`]) and asks programs what they are ([`process::probe`]), and starts nothing else.
//!
//! The modules, in the order in which data flows:

pub mod board;
pub mod changes;
pub mod checks;
pub mod cli;
pub mod codex;
pub mod commands;
pub mod cycle;
pub mod evidence;
pub mod failure;
pub mod hooks;
pub mod index;
pub mod inputs;
pub mod journal;
pub mod logs;
pub mod process;
pub mod prompt;
pub mod provider;
pub mod redact;
pub mod report;
pub mod requests;
pub mod rules;
pub mod scaffold;
pub mod schema;
pub mod settings;
pub mod storage;
pub mod yaml;
