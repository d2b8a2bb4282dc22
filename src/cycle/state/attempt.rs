//! One execution, as far as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{State, Taken};
use crate::board::{CardId, Column};
use crate::checks::{self, TestId};
use crate::cycle::gate::Before;
use crate::evidence::{Artifact, TreeId};
use crate::journal::{AttemptId, CacheKey, Ending, Event, GateHash, InputHash, Reserved, TestOutcome, TextHash};
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
    pub started: Timestamp,
    pub reserved: Reserved,
    pub number: u32,
    pub limit: u32,
    pub key: CacheKey,
    /// What the card said when it began.
    pub text: Option<TextHash>,
    pub tests: Vec<TestId>,
    pub prompt_sha256: String,
    /// The lines of shell tests as they were before it began.
    pub green: Vec<String>,
    pub red: Vec<String>,
    pub unjudged: BTreeMap<String, String>,
    /// Gate inputs that were not as accepted before it began: it did not change them.
    pub unaccepted: Vec<InputHash>,
    /// Gate inputs that changed while codex ran, and files of this program's own that were written into.
    pub meddled: Vec<String>,
    pub before: Option<TreeId>,
    pub after: Option<TreeId>,
    pub ending: Ending,
    pub phase: Phase,
    pub verdict: Option<Verdict>,
    pub reason: String,
    /// When its verdict was given.
    pub judged: Option<Timestamp>,
    /// The card's newest execution when it was judged: it counts for the work of this one and those before it.
    pub judged_with: u32,
    pub gate: GateHash,
    pub outcomes: Vec<TestOutcome>,
    pub artifacts: Vec<Artifact>,
    /// Guarded files as its card left them.
    pub weakened: Vec<Artifact>,
    /// A started move's target: after a restart the card may already be there.
    pub moving: Option<Column>,
    /// Its verdict was carried out on the board.
    pub settled: bool,
    /// Judged again from the cache: a failure only makes the card actionable.
    pub reopened: bool,
    /// Its card was gone from the board when it was to be judged.
    pub missed: bool,
    /// How often the gate could not tell.
    pub inconclusive: u32,
    /// What became of its work, where that was taken back.
    pub taken: Option<Taken>,
    /// Its folder is no longer kept.
    pub let_go: bool,
}

impl Attempt {
    /// Why it has no verdict, where it has none.
    pub fn unjudged(&self) -> String {
        match (self.phase, &self.ending) {
            (Phase::Running, _) => "it is at work, or was when its runner died".to_owned(),
            (_, Ending::Infrastructure { reason, .. }) => format!("codex could not work: {reason}"),
            (_, Ending::Interrupted) => "it was interrupted; that costs the card nothing".to_owned(),
            (Phase::Closed, Ending::Ok | Ending::Work { .. }) => "the card was moved or edited meanwhile".to_owned(),
            (Phase::Ended | Phase::Judged, Ending::Ok | Ending::Work { .. }) => "it is yet to be judged".to_owned(),
        }
    }

    /// Whether its work did not pass.
    pub fn failed(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Fail | Verdict::Tampered))
    }

    /// Whether its trees differ. Where only that before it is known, it may have.
    pub fn changed_something(&self) -> bool {
        self.before.is_some() && self.before != self.after
    }

    fn left_something(&self) -> bool {
        let idle = self.before.is_some() && self.before == self.after;
        !idle && !self.taken.as_ref().is_some_and(|taken| taken.left.is_empty())
    }

    /// As it begins; None of another event.
    pub(super) fn started(at: Timestamp, event: &Event) -> Option<(AttemptId, Attempt)> {
        let Event::AttemptStarted {
            attempt,
            card,
            title,
            column,
            number,
            limit,
            key,
            text,
            gate,
            tests,
            prompt_sha256,
            before,
            green,
            red,
            unjudged,
            unaccepted,
            reserved,
            ..
        } = event
        else {
            return None;
        };
        let started = Attempt {
            card: card.clone(),
            title: title.clone(),
            column: column.clone(),
            started: at,
            reserved: reserved.unwrap_or_default(),
            number: *number,
            limit: *limit,
            key: key.clone(),
            text: text.clone(),
            tests: tests.clone(),
            prompt_sha256: prompt_sha256.clone(),
            green: green.clone(),
            red: red.clone(),
            unjudged: unjudged.clone(),
            unaccepted: unaccepted.clone(),
            meddled: Vec::new(),
            before: before.clone(),
            after: None,
            ending: Ending::Interrupted,
            phase: Phase::Running,
            verdict: None,
            reason: String::new(),
            judged: None,
            judged_with: 0,
            gate: gate.clone(),
            outcomes: Vec::new(),
            artifacts: Vec::new(),
            weakened: Vec::new(),
            moving: None,
            settled: false,
            reopened: false,
            missed: false,
            inconclusive: 0,
            taken: None,
            let_go: false,
        };
        Some((attempt.clone(), started))
    }
}

impl State {
    /// How a shell test, by what it runs, was when it was first judged for the card, before its work.
    pub fn before(&self, card: &CardId, command: &str) -> Before {
        let runs = |line: &String| checks::command(line) == Some(command);
        let mut before = Before::Unknown("was not run before the work".to_owned());
        for attempt in self.attempts_at(card) {
            if attempt.green.iter().any(runs) {
                return Before::Green;
            }
            if attempt.red.iter().any(runs) {
                return Before::Red;
            }
            if let Some((_, why)) = attempt.unjudged.iter().find(|(line, _)| runs(line)) {
                before = Before::Unknown(why.clone());
            }
        }
        before
    }

    /// Whether something that the card's attempts did may still be there.
    pub fn worked(&self, card: &CardId) -> bool {
        self.attempts_at(card).any(Attempt::left_something)
    }

    /// The same of those that began after this one.
    pub fn worked_after(&self, attempt: &Attempt) -> bool {
        self.attempts_at(&attempt.card).any(|other| other.started > attempt.started && other.left_something())
    }

    /// The newest judged attempt of a card in a column, if codex came to its end, its work failed the tests and is still
    /// there, and it is of this key.
    pub fn failed_work(&self, card: &CardId, column: &Column, key: &CacheKey) -> Option<(&AttemptId, &Attempt)> {
        let id = self.visits(card, column)?.newest.as_ref()?;
        let attempt = self.attempt(id)?;
        let failed = attempt.verdict == Some(Verdict::Fail) && attempt.ending == Ending::Ok && attempt.after.is_some();
        (failed && attempt.taken.is_none() && attempt.key == *key).then_some((id, attempt))
    }

    /// A card's newest attempt, if the card was gone when it was to be judged, it is of this key, and nobody wants another.
    pub fn missed_work(&self, card: &CardId, column: &Column, key: &CacheKey) -> Option<(&AttemptId, &Attempt)> {
        let wanted = self.visits(card, column)?.of(key);
        let id = self.history(card)?.attempts.last()?;
        let attempt = self.attempt(id)?;
        let here = attempt.missed && attempt.column == *column && attempt.key == *key && attempt.before.is_some();
        (wanted && here).then_some((id, attempt))
    }

    /// Oldest first.
    fn attempts_at(&self, card: &CardId) -> impl Iterator<Item = &Attempt> {
        let ids = self.history(card).map(|history| history.attempts.as_slice()).unwrap_or_default();
        ids.iter().filter_map(|id| self.attempt(id))
    }
}
