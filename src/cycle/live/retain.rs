//! Old attempts, out of CACHE_DIR.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Result;

use super::Live;
use crate::board::Board;
use crate::cycle::drive::Book;
use crate::cycle::retain::{needless, trees};
use crate::cycle::state::State;
use crate::journal::{AttemptId, Event};

impl Live {
    /// Lets go of what is no longer needed, while no attempt is open. What a kill left of it is removed the next time.
    pub fn retain(&self, board: &Board, book: &mut Book<'_>) -> Result<()> {
        let needless = needless(&book.state, board, &self.settings.source.to_string(), self.settings.keep_attempts);
        if let Some(event) = &needless {
            book.record(event.clone())?;
        }
        let gone = self.needless_folders(&book.state);
        // The folders go last: while there is one, the trees are looked at again.
        if (needless.is_some() || !gone.is_empty())
            && let Err(error) = self.trees.prune(trees(&book.state))
        {
            tracing::warn!("trees that are no longer needed can't be removed: {error:#}");
        }
        if let Some(Event::LetGo { trees, .. }) = needless {
            trees.iter().for_each(|attempt| tracing::debug!(%attempt, "its trees are no longer kept"));
        }
        for id in gone {
            tracing::debug!(attempt = %id, "its folder is no longer kept");
            self.writer.remove_folder(&self.folder(&id))?;
        }
        Ok(())
    }

    /// Those that were let go, and those of executions that the journal has forgotten among a card's later ones.
    fn needless_folders(&self, state: &State) -> Vec<AttemptId> {
        let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
        for id in state.attempts.keys() {
            if let (Some((card, _)), Some(number)) = (id.0.rsplit_once('.'), id.execution()) {
                let newest = newest.entry(card).or_default();
                *newest = number.max(*newest);
            }
        }
        let forgotten = |id: &AttemptId| {
            let newest = id.0.rsplit_once('.').and_then(|(card, _)| newest.get(card));
            newest.zip(id.execution()).is_some_and(|(newest, number)| number < *newest)
        };
        let entries = fs::read_dir(self.settings.cache_dir.join("attempts")).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).map(AttemptId);
        let needless = |id: &AttemptId| match state.attempt(id) {
            Some(attempt) => attempt.let_go,
            None => forgotten(id),
        };
        names.filter(needless).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
