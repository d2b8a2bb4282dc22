//! The table at a run's end: what became of each card, why, and what it cost.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::Progress;
use super::page::Page;
use super::terminal::fit;
use super::units;
use crate::board::{CardId, Column};
use crate::codex::Usage;
use crate::journal::{AttemptId, Ending, Event, Record};
use crate::rules::Verdict;

/// What the records of a run say of its cards.
#[derive(Default)]
pub struct Table {
    /// In the order in which the run came to them.
    rows: Vec<Row>,
    /// Whose an attempt is.
    attempts: BTreeMap<AttemptId, CardId>,
}

#[derive(Default)]
struct Row {
    card: String,
    title: String,
    /// Where it went last, or that it was passed over.
    outcome: String,
    /// Empty where there is nothing to explain.
    why: String,
    attempts: u32,
    tokens: u64,
    /// Codex didn't say what one of them used.
    unknown: bool,
    seconds: f64,
}

impl Table {
    pub fn apply(&mut self, record: &Record) {
        match &record.event {
            Event::AttemptStarted { attempt, card, title, column, .. } => {
                self.attempts.insert(attempt.clone(), card.clone());
                let row = self.row(card, title);
                row.attempts += 1;
                row.outcome = format!("in {column}");
                row.why.clear();
            }
            Event::AttemptEnded { attempt, ending, usage, seconds, .. } => {
                let Some(card) = self.attempts.get(attempt).cloned() else { return };
                let row = self.row(&card, "");
                row.seconds += seconds;
                row.tokens += usage.as_ref().map_or(0, Usage::total);
                row.unknown |= usage.is_none();
                match ending {
                    Ending::Interrupted => row.outcome = "interrupted".to_owned(),
                    Ending::Infrastructure { reason, .. } => {
                        (row.outcome, row.why) = ("codex could not work".to_owned(), reason.clone());
                    }
                    // The gate says what came of it.
                    Ending::Ok | Ending::Work { .. } => {}
                }
            }
            Event::Transitioned { card, title, from, to, verdict, reason, .. } => {
                let row = self.row(card, title);
                row.outcome = outcome(*verdict, from, to.as_ref());
                row.why = if *verdict == Verdict::Pass { String::new() } else { reason.clone() };
            }
            Event::Skipped { card, title, reason, .. } => {
                let row = self.row(card, title);
                // A card that went somewhere in this run is passed over where it came to.
                if row.outcome.is_empty() {
                    (row.outcome, row.why) = ("skipped".to_owned(), reason.clone());
                }
            }
            Event::Vetoed { card, reason, .. } => {
                let row = self.row(card, "");
                (row.outcome, row.why) = ("vetoed".to_owned(), reason.clone());
            }
            Event::Elsewhere { card, reason, .. } => {
                let row = self.row(card, "");
                (row.outcome, row.why) = ("left alone".to_owned(), reason.clone());
            }
            _ => {}
        }
    }

    fn row(&mut self, card: &CardId, title: &str) -> &mut Row {
        let at = self.rows.iter().position(|row| *row.card == *card.0).unwrap_or_else(|| {
            self.rows.push(Row { card: card.0.to_string(), title: card.0.to_string(), ..Row::default() });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        if !title.is_empty() {
            title.clone_into(&mut row.title);
        }
        row
    }

    /// The line that tells how an attempt goes on.
    pub fn live(&self, progress: &Progress<'_>) -> String {
        let Progress { title, column, elapsed, latest } = progress;
        let said = latest.map(|told| format!(": {} {}", told.what, told.text)).unwrap_or_default();
        let tokens = match self.rows.iter().map(|row| row.tokens).sum() {
            0 => String::new(),
            tokens => format!(", {tokens} tokens so far"),
        };
        // Nothing is known of a beginning second.
        let elapsed = units::time(elapsed.as_secs() as f64).replace(".0 s", " s");
        format!("{title} [{column}] {elapsed}{tokens}{said}").replace(['\n', '\t'], " ")
    }

    /// Nothing where no card was come to.
    pub fn text(&self, width: usize) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut page = Page::wide(width);
        page.blank();
        page.hanging("", &cells(["card", "outcome", "tries", "tokens", "time"], width));
        for row in &self.rows {
            row.show(width, &mut page);
        }
        let total = |number: fn(&Row) -> u64| self.rows.iter().map(number).sum::<u64>();
        let seconds: f64 = self.rows.iter().map(|row| row.seconds).sum();
        let unknown = self.rows.iter().any(|row| row.unknown);
        let cost = cost(total(|row| row.attempts.into()), total(|row| row.tokens), unknown, seconds);
        page.hanging("", &cells(["total", "", &cost[0], &cost[1], &cost[2]], width));
        page.blank();
        page.into_text()
    }
}

impl Row {
    fn show(&self, width: usize, page: &mut Page) {
        let cost = cost(self.attempts.into(), self.tokens, self.unknown, self.seconds);
        page.hanging("", &cells([&self.title, &self.outcome, &cost[0], &cost[1], &cost[2]], width));
        if !self.why.is_empty() {
            page.hanging("  ", &self.why);
        }
    }
}

fn cost(attempts: u64, tokens: u64, unknown: bool, seconds: f64) -> [String; 3] {
    let tokens = match (unknown, tokens) {
        (true, 0) => "?".to_owned(),
        (true, tokens) => format!("{tokens}+"),
        (false, tokens) => tokens.to_string(),
    };
    [attempts.to_string(), tokens, if attempts == 0 { "-".to_owned() } else { units::time(seconds) }]
}

fn outcome(verdict: Verdict, from: &Column, to: Option<&Column>) -> String {
    match (verdict, to) {
        (Verdict::Pass, Some(to)) => format!("promoted to {to}"),
        (Verdict::Pass, None) => format!("passed in {from}"),
        (Verdict::Unverified, Some(to)) => format!("not run, to {to}"),
        (Verdict::Unverified, None) => format!("not run in {from}"),
        (_, Some(to)) => format!("bounced to {to}"),
        (_, None) => format!("{verdict} in {from}"),
    }
}

/// A row: what is read first takes what the numbers leave.
fn cells([card, outcome, attempts, tokens, time]: [&str; 5], width: usize) -> String {
    let left = width.saturating_sub(27).max(24);
    // The whole name of an ordinary column.
    let outcome_width = (left / 2).min(24);
    let (card, outcome) = (padded(card, left - outcome_width), padded(outcome, outcome_width));
    format!("{card}  {outcome}{attempts:>6}{tokens:>9}{time:>10}")
}

fn padded(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let space = width.saturating_sub(text.width());
    text + &" ".repeat(space)
}
