//! What of a workspace is not committed in the user's repository.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Result;

use super::git::names;
use super::ignored::{IgnoreRules, Level};
use super::listing::GITLINK;
use super::objects::{Kind, name};
use super::repository::{Repository, small_file};
use super::saved::text;
use super::walk::walk;
use super::{Blob, Change, TreePath, Trees};

/// Git would run under their own configurations.
const SUBMODULES: &str = "--ignore-submodules=all";

impl Trees {
    /// Paths in the workspace that differ from the index, or the index from the commit that is checked out, and those that
    /// git does not know. None outside a repository. Not what is never in a tree. Read under the private configuration.
    pub fn uncommitted(&self) -> Result<Option<BTreeSet<TreePath>>> {
        let Some(repository) = Repository::of(&self.workspace) else { return Ok(None) };
        let index = repository.folder.join("index");
        let tracked = self.tracked(&repository)?;
        let here = |path: TreePath| TreePath::below(&self.workspace, &repository.top.join(path.as_path()));
        let mut paths = BTreeSet::new();
        if index.exists() {
            paths.extend(self.saved().differing_files(&repository)?.filter_map(here));
        }
        match repository.head() {
            Some(commit) if index.exists() => {
                let staged = ["diff-index", "--cached", "--name-only", "--no-renames", SUBMODULES, "-z", &commit];
                paths.extend(names(&self.saved().ask_index(&staged, &repository)?).filter_map(here));
            }
            Some(_) | None => paths.extend(tracked.iter().cloned()),
        }
        let above = IgnoreRules::above(Some(&repository), &self.workspace);
        let patterns = |folder: &TreePath| small_file(&self.workspace.join(folder.as_path()).join(".gitignore"));
        let nested = |path: &TreePath| fs::symlink_metadata(self.workspace.join(path.as_path()).join(".git")).is_ok();
        let passed = |path: &TreePath, is_folder| self.excluded.contains(path) || is_folder && nested(path);
        let walked = walk(&self.workspace, Level::above(&above), passed, patterns)?;
        let found = walked.files.into_iter().map(|found| found.path);
        paths.extend(found.filter(|path| tracked.binary_search(path).is_err()));
        paths.retain(|path| !path.folders().chain([path.clone()]).any(|part| self.excluded.contains(&part)));
        Ok(Some(paths))
    }
}

impl super::SavedTrees {
    /// What git says of the user's index, in paths from `repository`'s top.
    fn ask_index(&self, args: &[&str], repository: &Repository) -> Result<Vec<u8>> {
        let top = ("GIT_WORK_TREE", repository.top.as_os_str());
        self.run_at(args, Some(&repository.folder.join("index")), Some(top), b"")
    }

    /// The files that are not as the index has them. To git, one that was only touched is one of them until it has written the
    /// index anew, which is the user's.
    fn differing_files(&self, repository: &Repository) -> Result<impl Iterator<Item = TreePath>> {
        let raw = self.ask_index(&["diff-files", "--raw", "--no-abbrev", SUBMODULES, "-z"], repository)?;
        let differs = |Change { path, before, after }: &Change| match (before, after) {
            (Some(index), Some(now)) if index.mode == now.mode => !fs::read(repository.top.join(path.as_path()))
                .is_ok_and(|bytes| name(Kind::Blob, &bytes, index.id.len()) == index.id),
            _ => true,
        };
        Ok(changes(&raw).filter(differs).map(|change| change.path).collect::<Vec<_>>().into_iter())
    }
}

/// Splits what `git diff-files --raw -z` says: `:OLD-MODE MODE OLD-ID ID STATUS NUL path NUL`... Without those that are other
/// repositories on both sides.
fn changes(raw: &[u8]) -> impl Iterator<Item = Change> {
    let mut pieces = raw.split(|byte| *byte == 0);
    std::iter::from_fn(move || Some((pieces.next()?, pieces.next()?))).filter_map(|(about, path)| {
        let about = text(about.strip_prefix(b":")?);
        let mut words = about.split(' ');
        let (mode, new_mode, id, new_id) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let change = Change { path: TreePath::new(path), before: blob(mode, id), after: blob(new_mode, new_id) };
        (change.before.is_some() || change.after.is_some()).then_some(change)
    })
}

fn blob(mode: &str, id: &str) -> Option<Blob> {
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode != 0 && *mode != GITLINK)?;
    Some(Blob { id: id.to_owned(), mode })
}
