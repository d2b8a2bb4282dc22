//! What became of a card, by its columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::board::Column;
use crate::journal::{AttemptId, CacheKey, GateHash};

/// What the journal says of one card.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CardHistory {
    /// Executions ever started: the next attempt's name.
    pub executions: u32,
    /// Attempts with trees, oldest first: together they are the card's change set.
    pub attempts: Vec<AttemptId>,
    /// Where the program last left or saw it.
    pub column: Option<Column>,
    pub visits: BTreeMap<Column, Visits>,
    /// The newest judged attempt, if it did not pass: what the next prompt tells.
    pub failure: Option<AttemptId>,
    /// `skip`
    pub held: bool,
}

/// One card's fate in one column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Visits {
    /// Failed attempts of the body (and prompt) `key`.
    pub key: Option<CacheKey>,
    pub failed: BTreeSet<AttemptId>,
    /// The newest judged attempt here.
    pub newest: Option<AttemptId>,
    /// Refused or vetoed by this gate: waits until card, tests or rules change.
    pub waiting: Option<Waiting>,
    /// A refusal that is yet to be carried out on the board.
    pub owed: bool,
    /// That the attempts are used up stands on the card.
    pub exhausted: bool,
    /// It was moved away for that. Whoever brings it back but a person brings it back in vain.
    pub sent_away: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub key: CacheKey,
    pub gate: GateHash,
    pub reason: String,
    /// Its tests can't prove it; else a hook said no.
    pub refused: bool,
}
