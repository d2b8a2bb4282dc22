//! What is gone of attempts: work that failed, where a rule has it taken back, owed from its first record to its last; and
//! what is no longer kept.

use std::collections::BTreeSet;

use super::{Attempt, State};
use crate::evidence::{Skipped, TreeId, TreePath};
use crate::journal::{AttemptId, Ending, Event, TakeBack};

/// What of an attempt's work was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub paths: BTreeSet<TreePath>,
    /// Of all that was to be taken back then.
    pub left: Vec<Skipped>,
    /// The tree without it.
    pub tree: Option<TreeId>,
    /// The command that brings it back, where it was kept.
    pub restore: Option<String>,
}

impl State {
    /// Whose work is taken back where this attempt failed, oldest first: its own and that of the interrupted ones before it,
    /// with which it went on.
    pub fn work_of(&self, id: &AttemptId, attempt: &Attempt) -> Vec<AttemptId> {
        let before = self.history(&attempt.card).map(|history| history.attempts.as_slice()).unwrap_or_default();
        let before = before.iter().take_while(|other| *other != id).collect::<Vec<_>>().into_iter().rev();
        let went_on = |other: &Attempt| {
            let costless = matches!(other.ending, Ending::Interrupted | Ending::Infrastructure { .. });
            costless && other.after.is_some() && other.key == attempt.key && other.taken.is_none()
        };
        let before = before.take_while(|other| self.attempt(other).is_some_and(went_on));
        let all = std::iter::once(id).chain(before);
        let worked = |other: &&AttemptId| self.attempt(other).is_some_and(Attempt::changed_something);
        let mut work: Vec<AttemptId> = all.filter(worked).cloned().collect();
        work.reverse();
        work
    }

    pub(super) fn take_back_started(&mut self, take: &TakeBack) {
        if !self.taking.contains(take) {
            self.taking.push(take.clone());
        }
    }

    pub(super) fn taken_back(&mut self, event: &Event) {
        let Event::TakenBack { attempt, works, left, tree, restore } = event else { return };
        self.taking.retain(|take| take.attempt != *attempt);
        for work in works {
            if let Some(found) = self.attempts.get_mut(&work.attempt) {
                let paths = work.paths.iter().cloned().collect();
                let (left, tree, restore) = (left.clone(), tree.clone(), restore.clone());
                found.taken = Some(Taken { paths, left, tree, restore });
            }
        }
    }

    /// Without their trees nothing of them is in a change set.
    pub(super) fn let_go(&mut self, folders: &[AttemptId], trees: &[AttemptId]) {
        for id in folders {
            if let Some(attempt) = self.attempts.get_mut(id) {
                attempt.let_go = true;
            }
        }
        for id in trees {
            if let Some(attempt) = self.attempts.get_mut(id) {
                (attempt.before, attempt.after) = (None, None);
                attempt.taken.iter_mut().for_each(|taken| taken.tree = None);
            }
        }
    }

    /// It failed, and that was acted upon in the workspace: what it would be judged by is no longer there.
    pub(super) fn acted_upon(&self, id: &AttemptId) -> bool {
        let begun = self.taking.iter().any(|take| take.attempt == *id);
        self.attempt(id).filter(|attempt| attempt.failed()).is_some_and(|attempt| begun || attempt.taken.is_some())
    }
}
