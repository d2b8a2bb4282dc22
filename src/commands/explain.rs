//! `explain`: one card's page, from the plan that a run would make now and what the journal says of its attempts.

use std::sync::Arc;

use super::{Opened, planned, show, steer};
use crate::failure::Failure;
use crate::journal::AttemptId;
use crate::report::explain::{Explanation, Kept, human};
use crate::settings::Settings;

pub fn explain(name: &str, settings: Settings) -> Result<u8, Failure> {
    let (board, state, planner) = Opened::open(Arc::new(settings))?.as_if_run();
    let card = steer::find(&board, name)?;
    let plan = planned(&planner, card, &state)?;
    let kept = |attempt: &AttemptId| kept(attempt, &planner.settings);
    let explanation = Explanation::of(card, plan.as_ref(), &state, kept);
    show(&planner.settings, &explanation, &human(&explanation))?;
    Ok(0)
}

/// What there is to read: what codex was told, what it said and did, and its log.
fn kept(attempt: &AttemptId, settings: &Settings) -> Kept {
    let folder = attempt.folder(&settings.cache_dir);
    let names = ["prompt.md", "message.md", "changes.patch", "events.jsonl", "stderr.log", "tests"];
    let there = |name: &&str| std::fs::metadata(folder.join(name)).is_ok_and(|data| data.is_dir() || data.len() > 0);
    Kept { folder: settings.shown(&folder), files: names.into_iter().filter(there).map(str::to_owned).collect() }
}
