//! Children of every kind: codex, shell tests and hooks go through the launcher, git is a plain tool.

#![expect(clippy::disallowed_methods, reason = "this is the place that makes children")]

pub mod tool;

use crate::storage::{RunLock, Writer};

/// The right to start children. Only the run lock gives it.
#[derive(Debug, Clone)]
pub struct Spawner {
    writer: Writer,
    marker: String,
}

impl Spawner {
    pub fn new(lock: &RunLock) -> Spawner {
        Spawner { writer: lock.writer(), marker: lock.marker().to_owned() }
    }

    /// For what a child leaves on disk.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The value of [`MARKER`] in every child's environment.
    pub fn marker(&self) -> &str {
        &self.marker
    }
}

/// The environment variable by which a later run finds what a dead one left running.
pub const MARKER: &str = "KANBAN_CODEX_EXEC_RUNNER";
