//! For people: one line an event, readable without colour.

use std::collections::BTreeSet;
use std::io::Write;

use anstyle::Style;

use super::table::Table;
use super::terminal::{ASIDE, ATTENTION, BAD, CLEAR, GOOD, PLAIN, Terminal, fit};
use super::{Out, Progress, Report, clean, on_a_line, units};
use crate::evidence::{Skipped, TreePath};
use crate::journal::{Acceptance, Counts, Ending, Event, Record, TestOutcome};
use crate::redact::Redactor;
use crate::rules::Verdict;

pub struct Human {
    out: Out,
    redactor: Redactor,
    terminal: Terminal,
    table: Table,
    /// A line is shown that is to be written anew.
    live: bool,
}

impl Human {
    pub fn new(out: Out, redactor: Redactor, terminal: Terminal) -> Human {
        Human { out, redactor, terminal, table: Table::default(), live: false }
    }

    /// In one piece: what a display can't take is dropped as a whole.
    fn write(&mut self, text: &str) {
        let before = if std::mem::take(&mut self.live) { CLEAR } else { "" };
        self.out.write_all(format!("{before}{text}").as_bytes()).and_then(|()| self.out.flush()).ok();
    }

    fn painted(&self, event: &Event, text: &str) -> String {
        let text = on_a_line(&self.redactor, text);
        // No label is longer.
        let label = text.char_indices().nth(10).map_or(text.len(), |(at, _)| at);
        let (label, rest) = text.split_at(label);
        let word = label.trim_end();
        let mut shown = format!("{}{}{rest}\n", self.terminal.paint(style(event), word), &label[word.len()..]);
        for text in below(event) {
            shown.push_str(&format!("          {}\n", on_a_line(&self.redactor, &text)));
        }
        shown
    }
}

impl Report for Human {
    fn show(&mut self, record: &Record) {
        if self.terminal.live {
            self.table.apply(record);
        }
        let Some(text) = line(&record.event) else { return };
        let mut text = self.painted(&record.event, &text);
        if self.terminal.live && matches!(record.event, Event::Summary { .. }) {
            let table = clean(&self.redactor, &self.table.text(self.terminal.width()));
            text = format!("{table}{text}");
        }
        self.write(&text);
    }

    fn progress(&mut self, progress: &Progress<'_>) {
        if !self.terminal.live {
            return;
        }
        // What a terminal shows of a key that is pressed, `^C`, must not begin another line.
        let width = self.terminal.width().saturating_sub(4);
        let text = fit(&clean(&self.redactor, &self.table.live(progress)), width);
        let text = self.terminal.paint(ASIDE, &text);
        self.write(&format!("{CLEAR}{text}"));
        self.live = true;
    }
}

impl Drop for Human {
    fn drop(&mut self) {
        if self.live {
            self.write("");
        }
    }
}

/// The colour of a line's first word.
fn style(event: &Event) -> Style {
    match event {
        Event::Transitioned { verdict: Verdict::Pass, .. } => GOOD,
        Event::Transitioned { verdict: Verdict::Fail | Verdict::Tampered, to: None, .. } => BAD,
        Event::Transitioned { .. } => ATTENTION,
        Event::AttemptEnded { ending: Ending::Work { .. } | Ending::Infrastructure { .. }, .. } => BAD,
        Event::InputsHeld { .. } | Event::TreesLost { .. } | Event::HookEnded { .. } | Event::Unreachable { .. } => BAD,
        Event::InputsRejected { .. } | Event::Warning { .. } | Event::Vetoed { .. } | Event::Elsewhere { .. } => {
            ATTENTION
        }
        Event::Summary { .. } => PLAIN,
        _ => ASIDE,
    }
}

/// A record's line; None for what only the journal is interested in.
pub(super) fn line(event: &Event) -> Option<String> {
    let text = match event {
        Event::RunStarted { source, workspace, .. } => format!("board     {source}, workspace {workspace}"),
        Event::InputsAccepted { by: Acceptance::Start, .. } => return None,
        Event::InputsAccepted { .. } => {
            "inputs    the changed tests and rules hold from now on, a changed config from the next start on".to_owned()
        }
        Event::InputsHeld { files } => {
            format!(
                "tampered  {} changed during an attempt: judged by the last accepted copy; `accept` adopts it",
                files.join(", ")
            )
        }
        Event::InputsRejected { .. } => "inputs    the last good ones hold, the new ones have errors:".to_owned(),
        Event::Warning { text } => format!("warning   {text}"),
        Event::MovedByPerson { card, from, to } => format!("moved     {card}: somebody moved it {from} → {to}"),
        Event::Retried { card } => format!("retry     {card}: its attempts start anew"),
        Event::Held { card } => format!("held      {card}: skipped until `skip --undo`"),
        Event::Released { card } => format!("released  {card}"),
        Event::Paused => "paused    no attempt is started until `resume`".to_owned(),
        Event::Resumed => "resumed".to_owned(),
        Event::AttemptStarted { attempt, title, column, number, limit, tests, .. } => {
            let tests = units::of(tests.len(), "test");
            format!("start     {title} [{column}] attempt {number} of {limit}, {tests} ({attempt})")
        }
        Event::AttemptEnded { attempt, ending, usage, seconds, strays, .. } => {
            let how = match ending {
                Ending::Ok => "codex is done".to_owned(),
                Ending::Work { reason } => format!("codex failed: {reason}"),
                Ending::Infrastructure { reason, .. } => format!("codex could not work: {reason}"),
                Ending::Interrupted => "interrupted; costs no attempt".to_owned(),
            };
            let tokens = usage.as_ref().map(|usage| format!(", {} tokens", usage.total())).unwrap_or_default();
            let strays = match strays {
                0 => String::new(),
                1 => ", 1 left-over process ended".to_owned(),
                some => format!(", {some} left-over processes ended"),
            };
            format!("end       {attempt}: {how} ({seconds:.1} s{tokens}{strays})")
        }
        Event::Judged { attempt, verdict, reason, .. } => format!("gate      {attempt}: {verdict}: {reason}"),
        Event::TakenBack { attempt, works, .. } => {
            let paths: BTreeSet<&TreePath> = works.iter().flat_map(|work| &work.paths).collect();
            format!("back      {attempt}: {} as before its work", units::are(paths.len(), "file"))
        }
        Event::TreesLost { card, attempts } => {
            let attempts: Vec<&str> = attempts.iter().map(|id| id.0.as_str()).collect();
            format!("lost      {card}: somebody removed the saved trees of {}", attempts.join(", "))
        }
        Event::Transitioned { title, from, to, verdict, reason, .. } => match (verdict, to) {
            (Verdict::Pass, Some(to)) => format!("PROMOTED  {title}: {from} → {to}"),
            (Verdict::Pass, None) => format!("passed    {title}: stays in {from}"),
            (Verdict::Unverified, Some(to)) => format!("NOT RUN   {title}: {from} → {to}: {reason}"),
            (Verdict::Unverified, None) => format!("NOT RUN   {title}: stays in {from}: {reason}"),
            (_, Some(to)) => format!("BOUNCED   {title}: {from} → {to}: {reason}"),
            (_, None) => format!("{verdict:<9} {title}: stays in {from}: {reason}"),
        },
        Event::Vetoed { card, from, to, reason, .. } => format!("vetoed    {card}: {from} → {to}: {reason}"),
        Event::Elsewhere { card, reason, .. } => format!("respected {card}: {reason}"),
        Event::HookEnded { card: Some(card), hook, ok: false, text } => {
            format!("hook      {hook} of {card} failed: {text}")
        }
        Event::HookEnded { card: None, hook, ok: false, text } => format!("hook      {hook} failed: {text}"),
        Event::Skipped { title, column, reason, .. } => format!("skipped   {title} [{column}]: {reason}"),
        Event::Reopened { title, column, reason, .. } => {
            format!("again     {title} [{column}]: {reason}: the gate is run again")
        }
        Event::Unreachable { reason, hint, .. } if hint.is_empty() => format!("away      the board: {reason}"),
        Event::Unreachable { reason, hint, .. } => format!("away      the board: {reason}; {hint}"),
        Event::Waiting { seconds, reason } => format!("waiting   {seconds} s: {reason}"),
        Event::Summary { counts, reason, .. } => summary(counts, reason),
        Event::Claimed { .. }
        | Event::Refused { .. }
        | Event::TakeBackStarted(_)
        | Event::LetGo { .. }
        | Event::TransitionStarted { .. }
        | Event::HookStarted { .. }
        | Event::HookEnded { ok: true, .. }
        | Event::Assumed { .. }
        | Event::PassEnded => return None,
    };
    Some(text)
}

/// So many files that were left are named.
const NAMED: usize = 10;

/// What is told below a record's line, each on a line of its own.
fn below(event: &Event) -> Vec<String> {
    match event {
        Event::InputsRejected { problems } => problems.clone(),
        Event::Judged { verdict, tests, .. } => {
            let shown = tests.iter().filter(|test| test.lacks() || *verdict == Verdict::Pass);
            let sign = |test: &TestOutcome| if test.lacks() { "NO" } else { "ok" };
            shown.map(|test| format!("{} {}: {}", sign(test), test.id, test.told())).collect()
        }
        Event::TakenBack { left, restore, .. } => {
            let kept = restore.iter().map(|restore| format!("its work is kept: {restore}"));
            let named = left.iter().take(NAMED).map(|Skipped { path, reason }| format!("left: {path}: {reason}"));
            let more = left.len().checked_sub(NAMED).filter(|more| *more > 0);
            kept.chain(named).chain(more.map(|more| format!("and {more} more are left"))).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn summary(counts: &Counts, reason: &str) -> String {
    format!("summary   {}; {reason}", told(counts))
}

pub(super) fn told(counts: &Counts) -> String {
    let Counts { promoted, bounced, skipped, unverified, failed, vetoed } = counts;
    let vetoed = if *vetoed > 0 { format!(", {vetoed} vetoed") } else { String::new() };
    format!(
        "{promoted} promoted, {bounced} bounced, {unverified} unverified, {failed} failed, {skipped} skipped{vetoed}"
    )
}
