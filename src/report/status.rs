//! What runs now and what is next, as `status` prints it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::human;
use super::page::{Page, moment};
use super::units;
use crate::board::{CardId, Column};
use crate::codex::Told;
use crate::cycle::state::State;
use crate::journal::{AttemptId, Counts, Event, Record, Stopped};

/// `status --format json`.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub version: u32,
    pub source: String,
    /// Of whoever holds the board, or else its workspace, as that wrote it: `pid 123, run --source board.md`.
    pub holder: Option<String>,
    /// A run of this board is at work.
    pub at_work: bool,
    /// The newest; None: there was none yet.
    pub run: Option<Run>,
    /// Attempts that are open.
    pub attempts: Vec<Open>,
    /// When codex, which could not work, is tried again.
    pub waits_until: Option<Timestamp>,
    /// No attempt is started until `resume`.
    pub paused: bool,
    /// Gate inputs that changed during an attempt, and are not adopted.
    pub held_inputs: Vec<String>,
    /// Why no run could begin now: the board can't be read, or its rules or tests are wrong.
    pub away: Vec<String>,
    /// In the order in which they are worked; None: the board is away.
    pub queue: Option<Vec<Queued>>,
    /// Cards in columns without a rule.
    pub parked: usize,
    /// What of the board is refused.
    pub refused: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub started: Timestamp,
    /// Until now, or until its last record.
    pub seconds: f64,
    #[serde(flatten)]
    pub counts: Counts,
    /// Of the attempts that ended.
    pub tokens: u64,
    /// How it ended; None: it is at work, or died.
    pub stopped: Option<Stopped>,
    pub last: Last,
}

/// The last thing that happened.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Last {
    pub at: Timestamp,
    pub text: String,
}

/// An attempt that has not ended.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    pub attempt: AttemptId,
    pub card: CardId,
    pub title: String,
    pub column: Column,
    pub number: u32,
    pub limit: u32,
    pub started: Timestamp,
    pub seconds: f64,
    /// What codex said last, and how many seconds ago.
    pub event: Option<Said>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Said {
    pub what: String,
    pub text: String,
    pub seconds: f64,
}

/// What would be done with a card now.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Queued {
    pub id: CardId,
    pub title: String,
    pub status: Column,
    /// `running`, `ready`, `unverified`, `cached`, `exhausted` or `blocked`
    pub verdict: &'static str,
    pub reason: String,
}

/// What the journal says of its newest run.
#[derive(Debug, Default)]
pub struct NewestRun(Option<Begun>);

#[derive(Debug)]
struct Begun {
    started: Timestamp,
    /// When its newest record was written.
    until: Timestamp,
    tokens: u64,
    summary: Option<(Stopped, Counts)>,
    last: Option<Last>,
}

impl NewestRun {
    pub fn apply(&mut self, record: &Record) {
        if matches!(record.event, Event::RunStarted { .. }) {
            self.0 = Some(Begun { started: record.at, until: record.at, tokens: 0, summary: None, last: None });
        }
        let Some(run) = &mut self.0 else { return };
        match &record.event {
            Event::AttemptEnded { usage: Some(usage), .. } => run.tokens += usage.total(),
            Event::Summary { stopped, counts, .. } => run.summary = run.summary.or(Some((*stopped, *counts))),
            _ => {}
        }
        run.until = record.at;
        run.last = Last::of(record).or(run.last.take());
    }
}

impl Run {
    /// The newest of the journal.
    pub fn of(NewestRun(newest): NewestRun, state: &State, now: Option<Timestamp>) -> Option<Run> {
        let Begun { started, until, tokens, summary, last } = newest?;
        let (stopped, counts) = (summary.map(|(stopped, _)| stopped), summary.map(|(_, counts)| counts));
        let until = now.filter(|_| stopped.is_none()).unwrap_or(until);
        Some(Run {
            started,
            seconds: between(started, until),
            // Without a summary, those of a run that goes on: what it passed over is not in the journal.
            counts: counts.unwrap_or(state.counts),
            tokens,
            stopped,
            last: last?,
        })
    }
}

impl Last {
    fn of(record: &Record) -> Option<Last> {
        let text = match &record.event {
            // Its counts are told beside.
            Event::Summary { reason, .. } => reason.clone(),
            event => human::line(event)?,
        };
        Some(Last { at: record.at, text: text.split_whitespace().collect::<Vec<_>>().join(" ") })
    }
}

pub fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

impl Said {
    pub fn of(Told { what, text }: Told, seconds: f64) -> Said {
        Said { what, text: text.lines().next().unwrap_or_default().to_owned(), seconds }
    }
}

/// The width of a card's verdict.
const VERDICT: usize = 12;

/// For people.
pub fn human(status: &Status) -> String {
    let mut page = Page::default();
    page.line("board", &status.source);
    for (number, away) in status.away.iter().enumerate() {
        page.line(if number == 0 { "away" } else { "" }, away);
    }
    match (&status.holder, status.at_work) {
        (Some(holder), true) => page.line("at work", holder),
        (Some(holder), false) => page.line("no run", &format!("another board's run holds the workspace: {holder}")),
        (None, _) => page.line("no run", "is at work"),
    }
    match &status.run {
        Some(run) => run.show(status.at_work, &mut page),
        None => page.line("journal", "no run yet"),
    }
    for open in &status.attempts {
        open.show(status.at_work, &mut page);
    }
    if let Some(until) = status.waits_until {
        page.line("waiting", &format!("until {} UTC: then codex is tried again", moment(until)));
    }
    if status.paused {
        page.line("paused", "no attempt is started until `resume`");
    }
    if !status.held_inputs.is_empty() {
        let files = status.held_inputs.join(", ");
        page.line("tampered", &format!("{files} changed during an attempt: restore it, or `accept` adopts it"));
    }
    if let Some(queue) = &status.queue {
        page.blank();
        for Queued { id, title, status, verdict, reason } in queue {
            page.hanging(&format!("{verdict:<VERDICT$}"), &format!("{title} [{status}] ({id}): {reason}"));
        }
        for refused in &status.refused {
            page.hanging(&format!("{:<VERDICT$}", "refused"), refused);
        }
        page.hanging(&format!("{:<VERDICT$}", "queue"), &counts(queue, status.parked));
    }
    page.into_text()
}

fn counts(queue: &[Queued], parked: usize) -> String {
    let verdicts = ["running", "ready", "unverified", "cached", "exhausted", "blocked"];
    let count = |verdict: &str| queue.iter().filter(|card| card.verdict == verdict).count();
    let told = verdicts.iter().map(|verdict| (count(verdict), verdict)).filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, verdict)| format!("{count} {verdict}, ")).collect();
    format!("{}{parked} elsewhere", told.concat())
}

impl Run {
    fn show(&self, at_work: bool, page: &mut Page) {
        let Run { started, seconds, counts, tokens, stopped, last } = self;
        let label = if at_work { "since" } else { "last run" };
        let end = match (stopped, at_work) {
            (Some(_), _) | (None, true) => "",
            (None, false) => "; it died: the next run goes on with it",
        };
        page.line(label, &format!("{} UTC, for {}{end}", moment(*started), units::time(*seconds)));
        page.line("", &format!("{}; {tokens} tokens", human::told(counts)));
        let label = if stopped.is_some() { "ended" } else { "last" };
        page.line(label, &format!("{} UTC: {}", moment(last.at), last.text));
    }
}

impl Open {
    fn show(&self, at_work: bool, page: &mut Page) {
        let Open { attempt, title, column, number, limit, seconds, .. } = self;
        page.line("attempt", &format!("{title} [{column}] attempt {number} of {limit} ({attempt})"));
        match at_work {
            true => page.line("", &format!("for {}", units::time(*seconds))),
            false => page.line("", "its runner died: the next run goes on with it"),
        }
        if let Some(Said { what, text, seconds }) = &self.event {
            page.line("", &format!("codex {} ago: {what} {text}", units::time(*seconds)));
        }
    }
}
