//! What is kept of an attempt, as evidence: the same for the loop and for a replay.

use std::path::Path;

use anyhow::{Context, Result};

use super::state::{Attempt, State};
use crate::board::CardId;
use crate::evidence::{ChangeSet, Evidence, Forged, SavedTrees, Skipped, Span, TreeId};
use crate::storage::{self, sha256};

/// What of an attempt's work is in no tree, in its folder.
pub const LEFT_OUT: &str = "left-out.json";

/// What an attempt's tests are judged against: its message, and what all attempts of the card that `state` knows changed and
/// what stands of it after the last one, or in the tree `now`. And what of the saved trees is forged: then there is none.
pub fn evidence(
    folder: &Path,
    attempt: &Attempt,
    now: Option<TreeId>,
    state: &State,
    trees: &SavedTrees,
) -> Result<(Evidence, Option<String>)> {
    let read = |name: &str| storage::read(folder.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    // With another prompt than was sent, what comes back of it in the message would look like news.
    let prompt = read("prompt.md").ok().filter(|prompt| sha256(prompt.as_bytes()) == attempt.prompt_sha256);
    // It says nothing of what was done after it.
    let newest = prompt.as_ref().filter(|_| !state.worked_after(attempt));
    let message = newest.and_then(|_| read("message.md").ok());
    let changes = match change_set(&attempt.card, now, state, trees) {
        Err(error) if error.is::<Forged>() => return Ok((Evidence::default(), Some(error.root_cause().to_string()))),
        changes => changes?,
    };
    let (message, prompt) = (message.unwrap_or_default(), prompt.unwrap_or_default());
    Ok((Evidence { message, prompt, changes, left_out: left_out(folder) }, None))
}

/// What an attempt did that is in no tree, from its folder.
pub fn left_out(folder: &Path) -> Vec<Skipped> {
    let told = storage::read(folder.join(LEFT_OUT)).ok();
    told.and_then(|told| serde_json::from_slice(&told).ok()).unwrap_or_default()
}

fn change_set(card: &CardId, now: Option<TreeId>, state: &State, trees: &SavedTrees) -> Result<ChangeSet> {
    let attempts = state.history(card).map(|history| history.attempts.as_slice()).unwrap_or_default();
    let known = attempts.iter().filter_map(|id| state.attempt(id));
    let known: Vec<_> =
        known.filter_map(|attempt| Some((attempt, attempt.before.clone()?, attempt.after.clone()?))).collect();
    let spans = known.iter().cloned().map(|(attempt, before, after)| {
        let without = attempt.taken.as_ref().map(|taken| taken.paths.clone()).unwrap_or_default();
        Span { before, after, without }
    });
    let without_work = || known.last()?.0.taken.as_ref()?.tree.clone();
    // Nothing happened from `now` to `now`: it adds nothing, and is what the lines must stand in.
    let stands = now.or_else(without_work).map(|now| Span::from((now.clone(), now)));
    let spans: Vec<Span> = spans.chain(stands).collect();
    trees.change_set(&spans).context("the change set of the card's attempts can't be read")
}
