//! What became of a card, by its columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Attempt, Few};
use crate::board::Column;
use crate::journal::{AttemptId, CacheKey, Edited, GateHash, Reserved, TextHash};

/// What the journal says of one card.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CardHistory {
    /// The board that it was last worked on.
    pub source: Arc<str>,
    /// Executions ever started: the next attempt's name.
    pub executions: u32,
    /// Attempts with trees, oldest first: together they are the card's change set.
    pub attempts: Vec<AttemptId>,
    /// Where the program last left or saw it.
    pub column: Option<Column>,
    pub visits: Few<Column, Visits>,
    /// The newest judged attempt, if it did not pass: what the next prompt tells.
    pub failure: Option<AttemptId>,
    /// `skip`
    pub held: bool,
    /// The newest text that came while an attempt at it ran. Codex may have written it, so it is no other work: what was
    /// spent on the text before it counts.
    pub edited: Option<Edited>,
    /// The column that it came to while an attempt at it ran. Codex may have moved it there, past a gate.
    pub arrived: Option<Column>,
    /// It was moved while an attempt at another card ran.
    pub put_back: bool,
    /// What its attempts did can't be known any more: the saved trees are gone.
    pub unproved: bool,
}

/// One card's fate in one column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Visits {
    /// Failed attempts of the body (and prompt) `key`, those that were spent without a verdict included.
    pub key: Option<CacheKey>,
    pub failed: BTreeSet<AttemptId>,
    /// What the attempts used, or what is reserved for them, whatever became of them.
    pub used: Few<AttemptId, Used>,
    /// Passes that did not last: judged again, they failed.
    pub lost: BTreeSet<AttemptId>,
    /// The newest judged attempt here.
    pub newest: Option<AttemptId>,
    /// Refused or vetoed by this gate: waits until card, tests or rules change.
    pub waiting: Option<Waiting>,
    /// A refusal that is yet to be carried out on the board.
    pub owed: bool,
    /// That the attempts are used up was told.
    pub exhausted: bool,
    /// It is what the card's note says last.
    pub noted: bool,
    /// It was moved away for that. Whoever brings it back but a person brings it back in vain.
    pub sent_away: bool,
}

/// Of one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// None: unknown.
    pub tokens: Option<u64>,
    pub seconds: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub key: CacheKey,
    pub gate: GateHash,
    pub reason: String,
    /// Its tests can't prove it; else a hook said no.
    pub refused: bool,
}

impl CardHistory {
    /// Whether this text came while an attempt at the card ran.
    pub fn wrote(&self, text: &TextHash) -> bool {
        self.edited.as_ref().is_some_and(|edited| edited.text == *text)
    }

    /// An attempt at this text begins. What a person wrote begins anew, what came while another attempt ran does not.
    pub(super) fn begin(&mut self, id: &AttemptId, attempt: &Attempt) {
        let wrote = attempt.text.as_ref().is_some_and(|text| self.wrote(text));
        if !wrote {
            self.edited = None;
        }
        let visits = self.visits.entry(&attempt.column);
        if !visits.of(&attempt.key) && !wrote {
            *visits = Visits::default();
        }
        visits.key = Some(attempt.key.clone());
        let Reserved { tokens, seconds } = attempt.reserved;
        visits.used.insert(id.clone(), Used { tokens, seconds: seconds as f64 });
    }

    /// A person has seen the card, and gives it new attempts where they put it. `at_work`: an attempt at another card ran, and
    /// codex may have done it. A codex that puts the board back with each attempt would be paid for ever: twice in a row
    /// gives no new ones.
    pub(super) fn moved_by_person(&mut self, to: &Column, at_work: bool) {
        self.column = Some(to.clone());
        self.arrived = None;
        // Where a board was put back, an older note is as well.
        self.visits.get_mut(to).iter_mut().for_each(|visits| visits.noted = false);
        if std::mem::replace(&mut self.put_back, at_work) && at_work {
            return;
        }
        if let Some(edited) = &mut self.edited {
            edited.other_tests = false;
        }
        if std::mem::take(&mut self.unproved) {
            self.visits.values_mut().for_each(|visits| visits.waiting = None);
        }
        if let Some(visits) = self.visits.get_mut(to) {
            visits.failed.clear();
            visits.used.clear();
            visits.lost.clear();
            visits.exhausted = false;
            visits.sent_away = false;
        }
    }

    /// It changed its place or its text while an attempt ran.
    pub(super) fn changed(&mut self, from: &Column, now: &Column, edited: Option<&Edited>) {
        self.arrived = Some(now.clone()).filter(|now| now != from);
        self.column = Some(now.clone());
        self.edited = edited.cloned().or(self.edited.take());
    }
}

impl Visits {
    pub(super) fn of(&self, key: &CacheKey) -> bool {
        self.key.as_ref() == Some(key)
    }

    /// Tokens of all attempts; None where one of them is unknown.
    pub fn tokens(&self) -> Option<u64> {
        self.used.values().map(|used| used.tokens).sum()
    }

    pub fn seconds(&self) -> f64 {
        self.used.values().map(|used| used.seconds).sum()
    }

    /// How many attempts are used up.
    pub fn failures(&self) -> u32 {
        self.failed.len() as u32
    }
}
