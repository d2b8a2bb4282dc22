//! What a run counts, owes and waits for.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::board::{CardId, Column};
use crate::journal::AttemptId;
use crate::rules::Verdict;

/// The wait after an infrastructure failure never grows beyond this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

/// A hook after a move, owed until it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OwedHook {
    pub card: CardId,
    pub title: String,
    pub attempt: Option<AttemptId>,
    pub from: Column,
    pub to: Column,
    pub verdict: Verdict,
    pub reason: String,
    /// It was started by a runner that died: whether it finished is unknown, and it is not repeated.
    pub started: bool,
}

/// One walk over the board.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pass {
    pub visited: BTreeSet<(CardId, Column)>,
    /// Something moved or ran: another pass may find more.
    pub progressed: bool,
    /// Cards that were counted as skipped or unverified in this run.
    pub counted: BTreeSet<(CardId, Column)>,
}

/// What the guards count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Budget {
    pub since: Option<Timestamp>,
    pub spent: Vec<Spent>,
    pub failures_in_a_row: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    pub at: Timestamp,
    pub card: CardId,
    /// Input (cached input within) and output, or what is reserved; None: unknown.
    pub tokens: Option<u64>,
}

/// How the world outside holds up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Infrastructure {
    pub in_a_row: u32,
    pub reason: String,
    pub hint: String,
    /// What was said about when it will work again.
    pub wait_seconds: Option<u64>,
    /// The wait for this failure is over.
    pub waited: bool,
}

impl Infrastructure {
    /// One failure more.
    pub fn again(&mut self, reason: &str, hint: &str, wait_seconds: Option<u64>) {
        let (reason, hint) = (reason.to_owned(), hint.to_owned());
        *self = Infrastructure { in_a_row: self.in_a_row + 1, reason, hint, wait_seconds, waited: false };
    }

    /// How long to wait now: as long as was said, else twice as long each time, from `backoff`.
    pub fn pause(&self, backoff: Duration) -> Duration {
        let doubled = backoff.saturating_mul(1 << self.in_a_row.saturating_sub(1).min(16));
        self.wait_seconds.map(Duration::from_secs).unwrap_or_else(|| doubled.min(LONGEST_BACKOFF))
    }
}
