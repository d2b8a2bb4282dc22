//! What was tried and what became of it, as `history` prints it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::page::{Page, moment};
use super::units;
use crate::board::{CardId, Column};
use crate::codex::Usage;
use crate::evidence::TreePath;
use crate::journal::{AttemptId, Ending, Event, Record};

/// `history --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct History {
    pub version: u32,
    /// None: of all cards.
    pub card: Option<CardId>,
    /// Newest last.
    pub entries: Vec<Entry>,
    pub total: Total,
}

/// An attempt, or a card that was not run.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// None: codex was not started.
    pub attempt: Option<AttemptId>,
    pub card: CardId,
    pub title: String,
    pub column: Column,
    pub started: Timestamp,
    /// A verdict; without one `running`, `interrupted`, `infrastructure`, `ended`, `vetoed` or `moved`.
    pub outcome: &'static str,
    pub reason: String,
    /// Where it was moved for that.
    pub to: Option<Column>,
    /// None: it did not end yet.
    pub seconds: Option<f64>,
    /// None: codex didn't say.
    pub tokens: Option<u64>,
    /// What it changed.
    pub files: Vec<TreePath>,
}

#[derive(Debug, Default, PartialEq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Total {
    pub attempts: usize,
    /// How many came to which outcome, those that were not run included.
    pub outcomes: BTreeMap<&'static str, usize>,
    pub seconds: f64,
    pub tokens: u64,
    /// Attempts that ended and of which the tokens are not known.
    pub unknown_tokens: usize,
}

impl History {
    /// `at_work`: a runner is.
    pub fn of(records: &[Record], card: Option<&CardId>, at_work: bool) -> History {
        let mut entries: Vec<Entry> = Vec::new();
        for record in records {
            if let Some(entry) = Entry::begun(record, at_work) {
                entries.push(entry);
            } else if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.is_told_by(&record.event)) {
                entry.apply(&record.event);
            }
        }
        entries.retain(|entry| card.is_none_or(|card| entry.card == *card));
        let total = Total::of(&entries);
        History { version: 1, card: card.cloned(), entries, total }
    }
}

impl Entry {
    fn begun(record: &Record, at_work: bool) -> Option<Entry> {
        let (attempt, card, title, column, outcome, reason) = match &record.event {
            Event::AttemptStarted { attempt, card, title, column, .. } => {
                let reason = if at_work { "it is at work" } else { "its runner died: the next run goes on with it" };
                (Some(attempt.clone()), card, title, column, "running", reason)
            }
            Event::Refused { card, title, column, reason, .. } => {
                (None, card, title, column, "unverified", reason.as_str())
            }
            _ => return None,
        };
        Some(Entry {
            attempt,
            card: card.clone(),
            title: title.clone(),
            column: column.clone(),
            started: record.at,
            outcome,
            reason: reason.to_owned(),
            to: None,
            seconds: None,
            tokens: None,
            files: Vec::new(),
        })
    }

    /// Whether an event tells what became of it.
    fn is_told_by(&self, event: &Event) -> bool {
        match event {
            Event::AttemptEnded { attempt, .. } | Event::Judged { attempt, .. } => {
                self.attempt.as_ref() == Some(attempt)
            }
            Event::Transitioned { attempt, card, .. }
            | Event::Vetoed { attempt, card, .. }
            | Event::Elsewhere { attempt, card, .. } => self.attempt == *attempt && self.card == *card,
            _ => false,
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::AttemptEnded { ending, artifacts, usage, seconds, .. } => {
                let (outcome, reason) = match ending {
                    Ending::Ok => ("ended", "it is yet to be judged"),
                    Ending::Work { reason } => ("ended", reason.as_str()),
                    Ending::Infrastructure { reason, .. } => ("infrastructure", reason.as_str()),
                    Ending::Interrupted => ("interrupted", "it cost the card nothing"),
                };
                (self.outcome, self.reason) = (outcome, reason.to_owned());
                self.seconds = Some(*seconds);
                self.tokens = usage.as_ref().map(Usage::total);
                self.files = artifacts.iter().map(|artifact| artifact.path.clone()).collect();
            }
            Event::Judged { verdict, reason, .. } => (self.outcome, self.reason) = (verdict.name(), reason.clone()),
            Event::Vetoed { reason, .. } => (self.outcome, self.reason) = ("vetoed", reason.clone()),
            Event::Elsewhere { reason, .. } => (self.outcome, self.reason) = ("moved", reason.clone()),
            Event::Transitioned { to, .. } => self.to.clone_from(to),
            _ => {}
        }
    }

    fn show(&self, page: &mut Page) {
        let id = self.attempt.as_ref().map_or(self.card.to_string(), AttemptId::to_string);
        page.hanging(&format!("{}  {:<14}  ", moment(self.started), self.outcome), &format!("{} ({id})", self.title));
        let way = self.to.as_ref().map_or(format!("in {}", self.column), |to| format!("{} → {to}", self.column));
        let cost = match (self.seconds, self.tokens) {
            (None, _) => String::new(),
            (Some(seconds), None) => format!("; {}, tokens unknown", units::time(seconds)),
            (Some(seconds), Some(tokens)) => format!("; {}, {tokens} tokens", units::time(seconds)),
        };
        page.hanging(BELOW, &format!("{way}{cost}{}", self.told_files()));
        page.hanging(BELOW, &self.reason);
    }

    fn told_files(&self) -> String {
        let names: Vec<String> = self.files.iter().take(NAMED).map(ToString::to_string).collect();
        match self.files.len().saturating_sub(NAMED) {
            _ if names.is_empty() => String::new(),
            0 => format!("; {}", names.join(", ")),
            more => format!("; {} and {more} more", names.join(", ")),
        }
    }
}

/// So many files of an attempt are named.
const NAMED: usize = 5;
/// Under the outcome.
const BELOW: &str = "                  ";

impl Total {
    fn of(entries: &[Entry]) -> Total {
        let mut total = Total::default();
        for entry in entries {
            *total.outcomes.entry(entry.outcome).or_default() += 1;
            total.attempts += usize::from(entry.attempt.is_some());
            total.seconds += entry.seconds.unwrap_or_default();
            total.tokens += entry.tokens.unwrap_or_default();
            total.unknown_tokens += usize::from(entry.seconds.is_some() && entry.tokens.is_none());
        }
        total
    }

    fn told(&self) -> String {
        let outcomes = self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
        let unknown = match self.unknown_tokens {
            0 => String::new(),
            count => format!(", those of {count} unknown"),
        };
        let attempts = units::of(self.attempts, "attempt");
        let outcomes = outcomes.collect::<Vec<_>>().join(", ");
        format!("{attempts}: {outcomes}; {}, {} tokens{unknown}", units::time(self.seconds), self.tokens)
    }
}

/// For people. Times are UTC, as on the cards.
pub fn human(history: &History) -> String {
    let mut page = Page::default();
    for entry in &history.entries {
        entry.show(&mut page);
    }
    match (history.entries.is_empty(), &history.card) {
        (true, None) => page.line("nothing", "was tried yet"),
        (true, Some(card)) => page.line("nothing", &format!("was tried yet for {card}")),
        (false, _) => {
            page.blank();
            page.line("total", &history.total.told());
        }
    }
    page.into_text()
}
