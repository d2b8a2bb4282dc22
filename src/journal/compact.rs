//! Bounded growth: a journal that became large is rewritten with what still matters. Pure but for [`compact`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Error, Result};

use super::{AttemptId, Ending, Event, Record, append, replay};
use crate::redact::Redactor;
use crate::storage::Writer;

/// A journal below this size, in bytes, is left alone.
const SMALL: u64 = 8 << 20;

/// What [`kept`] may leave out of a journal, counted while it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    records: usize,
    superfluous: usize,
}

impl Tally {
    pub fn count(&mut self, event: &Event) {
        self.records += 1;
        self.superfluous += match event {
            // Its beginning goes with it.
            Event::AttemptEnded { ending: Ending::Infrastructure { .. }, .. } => 2,
            Event::InputsAccepted { .. }
            | Event::InputsHeld { .. }
            | Event::InputsRejected { .. }
            | Event::RunStarted { .. }
            | Event::Summary { .. }
            | Event::Claimed { .. } => 1,
            other => usize::from(!other.durable()),
        };
    }

    /// Half of it at most: a longer look would show no more.
    fn is_small(self) -> bool {
        self.superfluous * 2 < self.records
    }
}

/// Rewrites the journal at the start of a run when it is large and at least half of it is superfluous.
pub fn compact(writer: &Writer, cache_dir: &Path, tally: Tally, redactor: &Redactor) -> Result<()> {
    let path = append::path(cache_dir);
    if tally.is_small() || std::fs::metadata(&path).map_or(0, |data| data.len()) < SMALL {
        return Ok(());
    }
    let records = replay::read(cache_dir).map_err(Error::msg)?.records;
    let kept = kept(&records);
    if kept.len() * 2 > records.len() {
        return Ok(());
    }
    let mut text = String::new();
    for record in kept {
        text.push_str(&append::line(record, redactor)?);
        text.push('\n');
    }
    writer.replace(&path, text.as_bytes())
}

/// The records that the fold of a later run needs: all but ended runs' beginnings and ends, executions that cost nothing
/// and left nothing, finished hooks, and acceptances that a later one replaced.
pub fn kept(records: &[Record]) -> Vec<&Record> {
    let last = |wanted: fn(&Event) -> bool| records.iter().rposition(|record| wanted(&record.event));
    // Budgets count from the first run after one that ended by itself.
    let ended = |event: &Event| matches!(event, Event::Summary { stopped, .. } if stopped.is_end());
    let last_ended = last(ended).unwrap_or(0);
    let last_run = last(|event| matches!(event, Event::RunStarted { .. })).unwrap_or(0);
    let last_accepted = last_accepted(records);
    let newest = newest(records);
    let free: BTreeSet<&AttemptId> = records.iter().filter_map(costless).filter(|id| !newest.contains(id)).collect();
    let keep = |(at, record): &(usize, &Record)| match &record.event {
        _ if *at >= last_run => true,
        Event::InputsAccepted { .. } | Event::InputsHeld { .. } => last_accepted.is_none_or(|last| *at >= last),
        Event::RunStarted { .. } | Event::Summary { .. } => *at >= last_ended,
        Event::InputsRejected { .. } | Event::Claimed { .. } => false,
        Event::HookStarted { .. } | Event::HookEnded { .. } => true,
        Event::AttemptStarted { attempt, .. } | Event::AttemptEnded { attempt, .. } => !free.contains(attempt),
        Event::Skipped { .. }
        | Event::Unreachable { .. }
        | Event::Waiting { .. }
        | Event::PassEnded
        | Event::Warning { .. }
        | Event::Assumed { .. } => false,
        Event::MovedByPerson { .. }
        | Event::Retried { .. }
        | Event::Held { .. }
        | Event::Released { .. }
        | Event::Paused
        | Event::Resumed
        | Event::Judged { .. }
        | Event::TakeBackStarted(_)
        | Event::TakenBack { .. }
        | Event::LetGo { .. }
        | Event::TreesLost { .. }
        | Event::Refused { .. }
        | Event::TransitionStarted { .. }
        | Event::Transitioned { .. }
        | Event::Vetoed { .. }
        | Event::Elsewhere { .. }
        | Event::Reopened { .. } => true,
    };
    records.iter().enumerate().filter(keep).map(|(_, record)| record).collect()
}

/// The last acceptance after which nothing is held.
fn last_accepted(records: &[Record]) -> Option<usize> {
    let (mut held, mut last) = (BTreeSet::new(), None);
    for (at, record) in records.iter().enumerate() {
        match &record.event {
            Event::InputsHeld { files } => held = files.iter().collect(),
            Event::InputsAccepted { inputs, .. } => {
                inputs.iter().for_each(|input| _ = held.remove(&input.file));
                last = if held.is_empty() { Some(at) } else { last };
            }
            _ => {}
        }
    }
    last
}

/// Each card's newest execution: the next one is numbered after it.
fn newest(records: &[Record]) -> BTreeSet<&AttemptId> {
    let mut newest = BTreeMap::new();
    for record in records {
        if let Event::AttemptStarted { attempt, card, .. } = &record.event {
            newest.insert(card, attempt);
        }
    }
    newest.into_values().collect()
}

/// An execution without work: infrastructure, and nothing changed.
fn costless(record: &Record) -> Option<&AttemptId> {
    match &record.event {
        Event::AttemptEnded { attempt, ending: Ending::Infrastructure { .. }, artifacts, usage, .. }
            if artifacts.is_empty() && usage.is_some_and(|usage| usage.total() == 0) =>
        {
            Some(attempt)
        }
        _ => None,
    }
}
