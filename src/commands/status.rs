//! `status`: what runs now, what is next, and for each card why it is worked or not.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::chronicle::Chronicle;
use super::{Opened, planned, show};
use crate::codex::told;
use crate::cycle::state::Attempt;
use crate::failure::Failure;
use crate::journal::AttemptId;
use crate::report::plan::verdict;
use crate::report::status::{NewestRun, Open, Queued, Run, Said, Status, between, human};
use crate::settings::Settings;
use crate::storage;

/// `resolved` fails where there is no board; then `its_place` says where its history is.
pub fn status(
    resolved: Result<Settings, Failure>,
    its_place: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<u8, Failure> {
    let (mut settings, missing) = match resolved {
        Ok(settings) => (settings, None),
        Err(failure) => match its_place() {
            Ok(settings) => (settings, Some(failure)),
            Err(_) => return Err(failure),
        },
    };
    let chronicle: Chronicle<NewestRun> = Chronicle::open(&settings)?;
    let now = Timestamp::now();
    let at_work = chronicle.at_work();
    let Chronicle { holder, journaled } = chronicle;
    let (journaled, newest) = journaled.alone();
    let (state, cache_dir) = (&journaled.state, &journaled.cache_dir);
    settings.cache_dir.clone_from(cache_dir);
    let open = state.running();
    let run = Run::of(newest, state, Some(now).filter(|_| at_work));
    let trouble =
        Some(&state.infrastructure).filter(|trouble| at_work && trouble.in_a_row > 0 && state.active.is_empty());
    let waits_until = trouble.zip(run.as_ref()).and_then(|(trouble, run)| {
        run.last.at.checked_add(trouble.pause(settings.backoff)).ok().filter(|until| *until > now)
    });
    let mut status = Status {
        version: 1,
        source: settings.source_name.clone(),
        holder: holder.map(|held| held.holder),
        at_work,
        run,
        waits_until,
        attempts: open.map(|(id, attempt)| of_attempt(id, attempt, cache_dir, now)).collect(),
        paused: state.paused,
        held_inputs: state.held_inputs.keys().cloned().collect(),
        away: Vec::new(),
        queue: None,
        parked: 0,
        refused: Vec::new(),
    };
    let nothing = journaled.last.is_none();
    let opened = || Opened::after(Some(journaled), Arc::new(settings.clone()));
    match missing.map_or_else(opened, Err) {
        Ok(opened) => queue(opened, &mut status)?,
        Err(failure) if nothing => return Err(failure),
        Err(failure) => {
            let told = format!("{:#}", failure.error);
            status.away = told.lines().map(|line| line.trim().to_owned()).collect();
        }
    }
    show(&settings, &status, &human(&status))?;
    Ok(0)
}

fn queue(opened: Opened, status: &mut Status) -> Result<(), Failure> {
    let (board, state, planner) = opened.as_if_run();
    status.paused = state.paused;
    let mut queue = Vec::new();
    for card in board.columns.iter().flat_map(|column| board.column(column)) {
        let Some(plan) = planned(&planner, card, &state)? else { continue };
        let at_it = |id: &&AttemptId| state.attempt(id).is_some_and(|attempt| attempt.card == card.id);
        let (verdict, reason) = match state.active.iter().find(at_it) {
            Some(id) if status.at_work => ("running", format!("attempt {id}")),
            Some(id) => ("ready", format!("the next run goes on with attempt {id}")),
            None => (verdict(&plan), plan.reason.clone()),
        };
        let (id, title) = (card.id.clone(), card.title.clone());
        queue.push(Queued { id, title: title.to_string(), status: card.status.clone(), verdict, reason });
    }
    status.parked = board.cards.len() - queue.len();
    status.refused = board.refused.iter().map(ToString::to_string).collect();
    status.queue = Some(queue);
    Ok(())
}

fn of_attempt(id: &AttemptId, attempt: &Attempt, cache_dir: &Path, now: Timestamp) -> Open {
    Open {
        attempt: id.clone(),
        card: attempt.card.clone(),
        title: attempt.title.clone(),
        column: attempt.column.clone(),
        number: attempt.number,
        limit: attempt.limit,
        started: attempt.started,
        seconds: between(attempt.started, now),
        event: last_event(&id.folder(cache_dir).join("events.jsonl")),
    }
}

/// So much of the end of codex's events is looked at, in bytes.
const END: u64 = 64 << 10;

fn last_event(path: &Path) -> Option<Said> {
    let mut file = storage::open(path).ok()?;
    let data = file.metadata().ok()?;
    file.seek(SeekFrom::Start(data.len().saturating_sub(END))).ok()?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end).ok()?;
    let end = String::from_utf8_lossy(&end);
    let event = |line: &str| told(&serde_json::from_str::<Value>(line).ok()?);
    let said = end.lines().rev().find_map(event)?;
    let ago = data.modified().ok()?.elapsed().unwrap_or_default();
    Some(Said::of(said, ago.as_secs_f64()))
}
