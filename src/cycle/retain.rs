//! What of old attempts is let go, so that CACHE_DIR stays within bounds. Pure.

use std::collections::{BTreeSet, HashSet};

use jiff::SignedDuration;

use super::state::{Attempt, CardHistory, State};
use crate::board::{Board, CardId};
use crate::evidence::TreeId;
use crate::journal::{AttemptId, Event};

/// A card may be away so long and keep what its work is judged by: a board that is half written lacks cards, and one of
/// another branch.
const AWAY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is let go now; None: nothing. Of each card `keep` attempts stay, and whatever a verdict, a cached pass, something
/// owed or the next prompt rests on. Older ones lose their folders, and their trees where nothing of their work counts. A
/// card that is gone for good from the board that it was worked on loses all.
pub fn needless(state: &State, board: &Board, source: &str, keep: usize) -> Option<Event> {
    let (mut folders, mut trees, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let busy = busy(state);
    let here: HashSet<&CardId> = board.all().map(|card| &card.id).collect();
    for (card, history) in &state.cards {
        let (unseen, since) = (!here.contains(card), state.missing.get(card));
        // A card that can't be represented may be any.
        let away = unseen && board.refused.is_empty() && *history.source == *source;
        let gone = away && since.is_some_and(|since| state.now.duration_since(*since) >= AWAY);
        let left = |id: &AttemptId| state.attempt(id).is_some_and(|attempt| !attempt.let_go);
        if unseen && !gone && (away || since.is_some()) && history.attempts.iter().any(left) {
            missing.push(card.clone());
        }
        let kept = if gone { BTreeSet::new() } else { kept(history, keep) };
        for id in history.attempts.iter().filter(|id| !kept.contains(id) && !busy.contains(id)) {
            let Some(attempt) = state.attempt(id) else { continue };
            if !attempt.let_go {
                folders.push(id.clone());
            }
            if attempt.before.is_some() && (counts_for_nothing(attempt) || gone && attempt.weakened.is_empty()) {
                trees.push(id.clone());
            }
        }
    }
    folders.sort();
    trees.sort();
    missing.sort();
    let news = !folders.is_empty() || !trees.is_empty() || !missing.iter().eq(state.missing.keys());
    news.then_some(Event::LetGo { folders, trees, missing })
}

/// The trees that are needed.
pub fn trees(state: &State) -> HashSet<&TreeId> {
    state.attempts.values().flat_map(|attempt| trees_of(attempt)).collect()
}

fn trees_of(attempt: &Attempt) -> impl Iterator<Item = &TreeId> {
    let without = attempt.taken.as_ref().and_then(|taken| taken.tree.as_ref());
    [attempt.before.as_ref(), attempt.after.as_ref(), without].into_iter().flatten()
}

/// Attempts that are open, or to which something is owed.
fn busy(state: &State) -> BTreeSet<&AttemptId> {
    let taking = state.taking.iter().flat_map(|take| &take.of);
    let hooks = state.hooks.iter().filter_map(|hook| hook.moved.as_ref()?.attempt.as_ref());
    state.active.iter().chain(taking).chain(hooks).collect()
}

fn kept(history: &CardHistory, keep: usize) -> BTreeSet<&AttemptId> {
    let judged = history.visits.values().filter_map(|visits| visits.newest.as_ref());
    history.attempts.iter().rev().take(keep).chain(judged).chain(&history.failure).collect()
}

/// Nothing of it is in the card's change set: it changed nothing, or all of it was taken back.
fn counts_for_nothing(attempt: &Attempt) -> bool {
    let taken = attempt.taken.as_ref().is_some_and(|taken| !taken.paths.is_empty() && taken.left.is_empty());
    taken || attempt.after.is_none() || attempt.before == attempt.after
}
