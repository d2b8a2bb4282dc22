//! One execution, as far as it is.

use crate::board::{CardId, Column};
use crate::checks::TestId;
use crate::evidence::{Artifact, TreeId};
use crate::journal::{CacheKey, Ending, GateHash, InputHash, TestOutcome, TextHash};
use crate::rules::Verdict;

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Codex runs, or ran when the runner died.
    Running,
    /// To be judged.
    Ended,
    /// To be moved.
    Judged,
    Closed,
}

/// One execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub card: CardId,
    pub title: String,
    pub column: Column,
    pub number: u32,
    pub limit: u32,
    pub key: CacheKey,
    /// What the card said when it began.
    pub text: Option<TextHash>,
    pub tests: Vec<TestId>,
    pub green: Vec<TestId>,
    /// Gate inputs that were not as accepted before it began: it did not change them.
    pub unaccepted: Vec<InputHash>,
    pub before: Option<TreeId>,
    pub after: Option<TreeId>,
    pub ending: Ending,
    pub phase: Phase,
    pub verdict: Option<Verdict>,
    pub reason: String,
    pub gate: GateHash,
    pub outcomes: Vec<TestOutcome>,
    pub artifacts: Vec<Artifact>,
    /// A started move's target: after a restart the card may already be there.
    pub moving: Option<Column>,
    /// Its verdict was carried out on the board.
    pub settled: bool,
    /// Judged again from the cache: a failure only makes the card actionable.
    pub reopened: bool,
    /// How often the gate could not tell.
    pub inconclusive: u32,
}
