//! For people: one line an event, readable without colour.

use std::collections::BTreeSet;
use std::io::Write;

use super::{Out, Report};
use crate::evidence::{Skipped, TreePath};
use crate::journal::{Acceptance, AttemptId, Counts, Ending, Event, Record, WorkTaken};
use crate::redact::Redactor;
use crate::rules::Verdict;

pub struct Human {
    pub out: Out,
    pub redactor: Redactor,
}

impl Report for Human {
    fn show(&mut self, record: &Record) {
        if let Some(text) = line(&record.event) {
            writeln!(self.out, "{}", self.redactor.text(&text)).and_then(|()| self.out.flush()).ok();
        }
    }
}

/// What a record looks like; None for what only the journal is interested in.
fn line(event: &Event) -> Option<String> {
    let text = match event {
        Event::RunStarted { source, workspace, .. } => format!("board     {source}, workspace {workspace}"),
        Event::InputsAccepted { by: Acceptance::Start, .. } => return None,
        Event::InputsAccepted { .. } => "inputs    the changed tests and rules hold from now on".to_owned(),
        Event::InputsHeld { files } => {
            format!(
                "tampered  {} changed during an attempt: judged by the last accepted copy; `accept` adopts it",
                files.join(", ")
            )
        }
        Event::InputsRejected { problems } => {
            format!(
                "inputs    the last good ones hold, the new ones have errors:\n          {}",
                problems.join("\n          ")
            )
        }
        Event::Warning { text } => format!("warning   {text}"),
        Event::MovedByPerson { card, from, to } => format!("moved     {card}: somebody moved it {from} → {to}"),
        Event::Retried { card } => format!("retry     {card}: its attempts start anew"),
        Event::Held { card } => format!("held      {card}: skipped until `skip --undo`"),
        Event::Released { card } => format!("released  {card}"),
        Event::Paused => "paused    no attempt is started until `resume`".to_owned(),
        Event::Resumed => "resumed".to_owned(),
        Event::AttemptStarted { attempt, title, column, number, limit, tests, .. } => {
            let tests = tests.len();
            format!("start     {title} [{column}] attempt {number} of {limit}, {tests} tests ({attempt})")
        }
        Event::AttemptEnded { attempt, ending, usage, seconds, strays, .. } => {
            let how = match ending {
                Ending::Ok => "codex is done".to_owned(),
                Ending::Work { reason } => format!("codex failed: {reason}"),
                Ending::Infrastructure { reason, .. } => format!("codex could not work: {reason}"),
                Ending::Interrupted => "interrupted; costs no attempt".to_owned(),
            };
            let tokens = usage.as_ref().map(|usage| format!(", {} tokens", usage.total())).unwrap_or_default();
            let strays = if *strays > 0 { format!(", {strays} left-over processes ended") } else { String::new() };
            format!("end       {attempt}: {how} ({seconds:.1} s{tokens}{strays})")
        }
        Event::Judged { attempt, verdict, reason, tests, .. } => {
            let mut text = format!("gate      {attempt}: {verdict}: {reason}");
            for test in tests.iter().filter(|test| test.lacks() || *verdict == Verdict::Pass) {
                let sign = if test.lacks() { "NO" } else { "ok" };
                text.push_str(&format!("\n          {sign} {}: {}", test.id, test.told()));
            }
            text
        }
        Event::TakenBack { attempt, works, left, restore, .. } => taken_back(attempt, works, left, restore.as_deref()),
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

fn taken_back(attempt: &AttemptId, works: &[WorkTaken], left: &[Skipped], restore: Option<&str>) -> String {
    let paths: BTreeSet<&TreePath> = works.iter().flat_map(|work| &work.paths).collect();
    let files = if paths.len() == 1 { "1 file is".to_owned() } else { format!("{} files are", paths.len()) };
    let mut text = format!("back      {attempt}: {files} as before its work");
    if let Some(restore) = restore {
        text.push_str(&format!("\n          its work is kept: {restore}"));
    }
    for Skipped { path, reason } in left.iter().take(NAMED) {
        text.push_str(&format!("\n          left: {path}: {reason}"));
    }
    if left.len() > NAMED {
        text.push_str(&format!("\n          and {} more are left", left.len() - NAMED));
    }
    text
}

pub(super) fn summary(counts: &Counts, reason: &str) -> String {
    let Counts { promoted, bounced, skipped, unverified, failed } = counts;
    format!(
        "summary   {promoted} promoted, {bounced} bounced, {unverified} unverified, {failed} failed, {skipped} skipped; {reason}"
    )
}
