//! Work that failed, out of the workspace: kept first where that is wanted, then each file as it was before.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::Live;
use crate::cycle::drive::Book;
use crate::cycle::recorded;
use crate::cycle::state::State;
use crate::evidence::{Aside, Change, Deed, Skipped, TreeId, TreePath, deeds};
use crate::journal::{AttemptId, Event, TakeBack, WorkTaken};

/// What is to be undone, and what is not.
#[derive(Default)]
struct Work {
    /// By attempt, all that it changed.
    changes: Vec<Vec<Change>>,
    deeds: Vec<Deed>,
    left: Vec<Skipped>,
    /// By attempt, what was beside the trees before it.
    asides: Vec<Aside>,
}

impl Live {
    /// Journals the intent, takes the work back, journals the outcome. A repetition after a kill finds what is back already.
    pub(super) fn take_back(&mut self, take: &TakeBack, book: &mut Book<'_>) -> Result<()> {
        if !book.state.taking.contains(take) {
            book.record(Event::TakeBackStarted(take.clone()))?;
        }
        let all_left = |error: anyhow::Error| {
            let reason = format!("nothing was taken back: {error:#}");
            vec![Skipped { path: TreePath::new("."), reason }]
        };
        let work = self.work(take, book).unwrap_or_else(|error| Work { left: all_left(error), ..Work::default() });
        let kept = self.keep(take, &work).context("it could not be kept");
        let undone = kept.map(|restore| (restore, self.trees.undo(&work.deeds, &work.asides)));
        let (restore, (back, failed)) = undone.unwrap_or_else(|error| (None, (BTreeSet::new(), all_left(error))));
        let works = take.of.iter().enumerate().map(|(at, attempt)| {
            let covered = |deed: &&Deed| deed.first <= at && back.contains(&deed.change.path);
            let covered: BTreeSet<&TreePath> =
                work.deeds.iter().filter(covered).map(|deed| &deed.change.path).collect();
            let own = work.changes.get(at).into_iter().flatten().map(|change| &change.path);
            let paths = own.filter(|path| covered.contains(path)).cloned().collect();
            WorkTaken { attempt: attempt.clone(), paths }
        });
        let works = works.collect();
        let left = work.left.iter().cloned().chain(failed).collect();
        let tree = self.tree_without(&take.attempt, &book.state)?;
        book.record(Event::TakenBack { attempt: take.attempt.clone(), works, left, tree, restore })
    }

    fn work(&self, take: &TakeBack, book: &Book<'_>) -> Result<Work> {
        let changes = |id: &AttemptId| {
            let attempt = book.state.attempt(id).with_context(|| format!("the journal does not know {id}"))?;
            let trees = attempt.before.as_ref().zip(attempt.after.as_ref());
            let (before, after) = trees.context("what it changed is not known: no tree could be taken after it")?;
            self.trees.saved().changed(before, after)
        };
        let changes: Vec<Vec<Change>> = take.of.iter().map(changes).collect::<Result<_>>()?;
        let (deeds, broken) = deeds(&changes);
        // They may have become inputs since the trees were opened.
        let inputs = book.planner.inputs.clone();
        let input = |path: &TreePath| {
            let path = self.settings.workspace.join(path.as_path());
            inputs.files.iter().any(|file| file.path == path)
        };
        let (deeds, mut left) = self.trees.undoable(deeds, input);
        let reason = "it was changed between the attempts: only what came after that is taken back";
        left.extend(broken.into_iter().map(|path| Skipped { path, reason: reason.to_owned() }));
        // What they did to files that are in no tree can't be undone.
        left.extend(take.of.iter().flat_map(|id| recorded::left_out(&self.folder(id))));
        let asides = take.of.iter().map(|id| self.ignore_rules(id).unwrap_or_default().aside).collect();
        Ok(Work { changes, deeds, left, asides })
    }

    /// Keeps the work as a patch, where that is wanted; the command that brings it back.
    fn keep(&self, take: &TakeBack, work: &Work) -> Result<Option<String>> {
        if !take.stash || work.deeds.is_empty() {
            return Ok(None);
        }
        let changes: Vec<&Change> = work.deeds.iter().map(|deed| &deed.change).collect();
        let patch = self.trees.patch_of(&changes)?;
        let folder = self.settings.cache_dir.join("stash");
        let file = folder.join(format!("{}.patch", take.attempt));
        self.writer.folder(&folder)?;
        self.writer.replace(&file, &patch)?;
        Ok(Some(self.trees.saved().apply_command(&file)))
    }

    fn tree_without(&self, id: &AttemptId, state: &State) -> Result<Option<TreeId>> {
        let before = state.attempt(id).and_then(|attempt| attempt.before.as_ref());
        let Some(ignore) = self.ignore_rules(id) else { return Ok(None) };
        self.after_tree(id, before, &ignore, None)
    }
}
