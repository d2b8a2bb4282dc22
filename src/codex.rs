//! Codex: the command line, what its events say, and what its end means. Pure; `process` runs it.
//!
//! What is said here of codex's behaviour was measured with `codex exec` 0.169.

pub mod command;
pub mod events;
pub mod outcome;
mod told;

use std::time::Duration;

pub use command::{CommandLine, TooLong, command, on_a_line};
pub use events::{EventWatch, Events, Usage};
pub use outcome::{Cause, Outcome, Reset, classify};
pub use told::{Told, told};

/// How codex is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The program: a name that is looked up on PATH, or a path.
    pub bin: String,
    pub model: String,
    /// `low`, `medium` or `high`.
    pub effort: String,
    /// Codex's own sandbox; without it approvals and sandbox are bypassed.
    pub sandbox: bool,
    /// More arguments of the user's.
    pub args: Vec<String>,
    /// From the start to the first sign of life.
    pub start_limit: Duration,
    /// Between two signs of life, while no command runs.
    pub silence_limit: Duration,
    /// For a whole attempt.
    pub attempt_limit: Duration,
    /// From asking codex to end to killing it.
    pub grace: Duration,
}
