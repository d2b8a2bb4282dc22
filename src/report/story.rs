//! What became of a board's cards, from the journal, the board and the plan that a run would make now: the one model of
//! which `report` has four renderings. Pure.

mod past;
mod patch;
mod ways;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::explain::{Ranked, TakenBack};
use super::plan::verdict;
use super::visible::visible;
use crate::board::{Board, Card, CardId, Column};
use crate::cycle::plan::CardPlan;
use crate::cycle::state::State;
use crate::journal::{AttemptId, Record, TestOutcome, none};
use crate::redact::Redactor;
use crate::rules::{Rules, Verdict};
use past::Past;
pub use past::{Happening, What};
pub use patch::Patch;
pub use ways::{On, Way};

/// `report --format json`.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    pub version: u32,
    pub source: String,
    /// Of the first and the newest record; None: nothing was done yet.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub totals: Totals,
    /// What a person should know of the board and of the journal.
    pub notices: Vec<String>,
    /// In board order.
    pub columns: Vec<ColumnStory>,
    /// The rules' ways between columns, and others that cards went.
    pub ways: Vec<Way>,
    /// In board order; then those that were worked and are gone from the board.
    pub cards: Vec<CardStory>,
}

/// Of all cards of the report. Moves are counted as the summary of a run counts them.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    pub cards: usize,
    pub promoted: u32,
    pub bounced: u32,
    pub unverified: u32,
    pub failed: u32,
    #[serde(default, skip_serializing_if = "none")]
    pub vetoed: u32,
    pub attempts: usize,
    /// Input (cached input within) and output.
    pub tokens: u64,
    /// Attempts of which codex didn't say how many.
    pub untold: usize,
    pub seconds: f64,
}

#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct ColumnStory {
    pub name: Column,
    /// It has a rule.
    pub worked: bool,
}

#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CardStory {
    pub id: CardId,
    pub title: String,
    /// None: it is gone from the board.
    pub column: Option<Column>,
    /// 1-based; 0 where the board has no lines.
    pub line: usize,
    pub labels: Vec<String>,
    /// What became of it last, and why.
    pub fate: Fate,
    pub reason: String,
    /// What a run would do with it now; None where its column has no rule.
    pub next: Option<Next>,
    pub selection: Option<Selection>,
    /// Oldest first.
    pub attempts: Vec<AttemptStory>,
    /// What else happened, in order.
    pub happenings: Vec<Happening>,
}

#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Next {
    /// `ready`, `unverified`, `cached`, `exhausted` or `blocked`
    pub verdict: String,
    pub reason: String,
}

/// The tests that belong to a card as it reads now.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct Selection {
    /// By whose rule: where it stands, or where it was last worked.
    pub column: Column,
    pub require: usize,
    pub threshold: f32,
    /// In the order of choice.
    pub tests: Vec<Ranked>,
}

#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptStory {
    pub id: AttemptId,
    pub column: Column,
    /// From 1, of `limit`.
    pub number: u32,
    pub limit: u32,
    pub started: Timestamp,
    /// None: it has not ended, or its runner died.
    pub seconds: Option<f64>,
    /// None: codex didn't say.
    pub tokens: Option<u64>,
    pub fate: Fate,
    pub reason: String,
    /// None: it was not judged, or not yet.
    pub verdict: Option<Verdict>,
    pub required: u32,
    pub tests: Vec<TestOutcome>,
    /// What became of its work, where that was taken back.
    pub taken_back: Option<TakenBack>,
    /// What it changed, as far as that is kept.
    pub patch: Option<Patch>,
}

/// What became of a card last, or of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was never worked.
    #[default]
    Untouched,
    Passed,
    Failed,
    /// Too few tests: codex was not started.
    Unverified,
    Tampered,
    /// It passed, and a hook, or the board, said no.
    Vetoed,
    Exhausted,
    Inconclusive,
    /// Codex could not work.
    Infrastructure,
    Interrupted,
    /// It was moved, edited or deleted meanwhile.
    Moved,
    /// An attempt at it has no verdict yet.
    Open,
}

impl Fate {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Untouched => "not worked",
            Fate::Passed => "passed",
            Fate::Failed => "failed",
            Fate::Unverified => "unverified",
            Fate::Tampered => "tampered",
            Fate::Vetoed => "vetoed",
            Fate::Exhausted => "exhausted",
            Fate::Inconclusive => "inconclusive",
            Fate::Infrastructure => "could not run",
            Fate::Interrupted => "interrupted",
            Fate::Moved => "moved",
            Fate::Open => "at work",
        }
    }

    /// Its work was looked at, or would have been, and did not pass.
    pub fn is_bad(self) -> bool {
        match self {
            Fate::Failed | Fate::Unverified | Fate::Tampered | Fate::Vetoed | Fate::Exhausted => true,
            Fate::Inconclusive | Fate::Infrastructure => true,
            Fate::Untouched | Fate::Passed | Fate::Interrupted | Fate::Moved | Fate::Open => false,
        }
    }
}

impl From<Verdict> for Fate {
    fn from(verdict: Verdict) -> Fate {
        match verdict {
            Verdict::Pass => Fate::Passed,
            Verdict::Fail => Fate::Failed,
            Verdict::Unverified => Fate::Unverified,
            Verdict::Tampered => Fate::Tampered,
            Verdict::Inconclusive => Fate::Inconclusive,
            Verdict::Exhausted => Fate::Exhausted,
            Verdict::Moved => Fate::Moved,
        }
    }
}

/// What a story is told from.
pub struct Known<'k> {
    pub source: String,
    /// As the journal names it.
    pub journal_source: String,
    pub board: &'k Board,
    pub rules: &'k Rules,
    pub records: &'k [Record],
    pub state: &'k State,
    /// Journal lines that could not be read.
    pub damaged: &'k [usize],
}

impl Story {
    /// `plans` are those of the cards where they stand, or of where they were last worked; `patch` looks up an attempt's.
    pub fn of(
        known: &Known<'_>,
        mut plans: BTreeMap<CardId, CardPlan>,
        mut patch: impl FnMut(&AttemptId) -> Option<Patch>,
    ) -> Story {
        let Known { board, rules, records, state, .. } = known;
        let mut pasts = Past::of_all(records, state);
        let ours = |card: &CardId| state.history(card).is_some_and(|history| *history.source == known.journal_source);
        let ordered = board.columns.iter().flat_map(|column| board.all().filter(move |card| card.status == *column));
        let mut cards: Vec<CardStory> = ordered
            .map(|card| {
                let past = pasts.remove(&card.id).unwrap_or_default();
                CardStory::of(card, past, plans.remove(&card.id), rules)
            })
            .collect();
        cards.extend(pasts.into_iter().filter(|(id, _)| ours(id)).map(|(id, past)| CardStory::gone(id, past)));
        for attempt in cards.iter_mut().flat_map(|card| &mut card.attempts) {
            attempt.patch = patch(&attempt.id);
        }
        let worked = |name: &Column| rules.columns.contains_key(name);
        let column = |name: &Column| ColumnStory { name: name.clone(), worked: worked(name) };
        Story {
            version: 1,
            source: known.source.clone(),
            since: records.first().map(|record| record.at),
            until: records.last().map(|record| record.at),
            totals: Totals::of(&cards),
            notices: notices(known),
            columns: board.columns.iter().map(column).collect(),
            ways: ways::of(rules, &cards),
            cards,
        }
    }

    /// Without secrets, as an object.
    pub fn redacted(&self, redactor: &Redactor) -> serde_json::Result<serde_json::Value> {
        let mut value = serde_json::to_value(self)?;
        redactor.json(&mut value);
        Ok(value)
    }

    /// From an object; what steers a terminal or turns the order of letters is made visible in all its texts.
    pub fn for_people(mut value: serde_json::Value) -> serde_json::Result<Story> {
        visible(&mut value);
        serde_json::from_value(value)
    }

    pub fn in_column(&self, column: &Column) -> impl Iterator<Item = (usize, &CardStory)> {
        self.cards.iter().enumerate().filter(move |(_, card)| card.column.as_ref() == Some(column))
    }
}

impl CardStory {
    fn of(card: &Card, past: Past, plan: Option<CardPlan>, rules: &Rules) -> CardStory {
        let stands = plan.as_ref().filter(|plan| plan.card.status == card.status);
        let next = stands.filter(|_| rules.columns.contains_key(&card.status));
        let next = next.map(|plan| Next { verdict: verdict(plan).to_owned(), reason: plan.reason.clone() });
        CardStory {
            title: card.title.to_string(),
            column: Some(card.status.clone()),
            line: card.line,
            labels: card.labels.to_vec(),
            next,
            selection: plan.map(Selection::of),
            ..CardStory::gone(card.id.clone(), past)
        }
    }

    fn gone(id: CardId, past: Past) -> CardStory {
        CardStory {
            id,
            title: past.title,
            column: None,
            line: 0,
            labels: Vec::new(),
            next: None,
            selection: None,
            fate: past.fate,
            reason: past.reason,
            attempts: past.attempts,
            happenings: past.happenings,
        }
    }

    /// The newest that was judged.
    pub fn judged(&self) -> Option<&AttemptStory> {
        self.attempts.iter().rev().find(|attempt| attempt.verdict.is_some())
    }

    pub fn tokens(&self) -> u64 {
        self.attempts.iter().filter_map(|attempt| attempt.tokens).sum()
    }

    pub fn seconds(&self) -> f64 {
        self.attempts.iter().filter_map(|attempt| attempt.seconds).fold(0.0, std::ops::Add::add)
    }
}

impl Selection {
    fn of(plan: CardPlan) -> Selection {
        Selection {
            require: plan.require,
            threshold: plan.limits.threshold,
            tests: (1..).zip(&plan.tests).map(|(rank, test)| Ranked::of(rank, test)).collect(),
            column: plan.card.status,
        }
    }
}

impl AttemptStory {
    /// How many of its tests passed and count.
    pub fn passed(&self) -> usize {
        self.tests.iter().filter(|test| !test.lacks()).count()
    }
}

impl Totals {
    fn of(cards: &[CardStory]) -> Totals {
        let attempts = || cards.iter().flat_map(|card| &card.attempts);
        let count = |wanted: fn(&Happening) -> bool| {
            let happenings = cards.iter().flat_map(|card| &card.happenings);
            happenings.filter(|happening| wanted(happening)).count() as u32
        };
        Totals {
            cards: cards.len(),
            promoted: count(|happening| happening.what == What::Promoted),
            bounced: count(|Happening { what, to, .. }| {
                *what == What::Bounced || *what == What::Exhausted && to.is_some()
            }),
            unverified: count(|happening| happening.what == What::Unverified),
            failed: count(|happening| happening.what == What::Failed),
            vetoed: count(|happening| happening.what == What::Vetoed),
            attempts: attempts().count(),
            tokens: cards.iter().map(CardStory::tokens).sum(),
            untold: attempts().filter(|attempt| attempt.tokens.is_none()).count(),
            seconds: cards.iter().map(CardStory::seconds).fold(0.0, std::ops::Add::add),
        }
    }
}

fn notices(known: &Known<'_>) -> Vec<String> {
    let Known { board, state, damaged, .. } = known;
    let mut notices = Vec::new();
    if state.paused {
        notices.push("the loop is paused: no attempt is started until `resume`".to_owned());
    }
    if !state.held_inputs.is_empty() {
        let files: Vec<&str> = state.held_inputs.keys().map(String::as_str).collect();
        let files = files.join(", ");
        notices.push(format!("{files} changed during an attempt: the last accepted copy holds; `accept` adopts it"));
    }
    notices.extend(board.refused.iter().map(|refused| format!("not read: {refused}")));
    if !damaged.is_empty() {
        let lines: Vec<String> = damaged.iter().map(usize::to_string).collect();
        notices.push(format!("the journal has lines that could not be read: {}", lines.join(", ")));
    }
    notices
}
