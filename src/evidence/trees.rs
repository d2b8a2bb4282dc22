//! Trees of the workspace before and after attempts, and what differs between them.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use rustix::fs::lstat;
use serde::{Deserialize, Serialize};

use super::git::{Git, Tracked, TreeId};
use super::ignored::{IgnoreRules, Level};
use super::repository::{Repository, small_file};
use super::saved::{SavedTrees, Work};
use super::walk::{Found, Skipped, Walked, is_folder, walk};
use super::{Aside, Blob, Change, TreePath};
use crate::process::Spawner;
use crate::storage::{Stamp, Writer};

/// Takes trees of one workspace. Nothing in the workspace or in the user's repository is written.
#[derive(Debug)]
pub struct Trees {
    git: Git,
    pub(super) workspace: PathBuf,
    /// The board, the gate inputs, CACHE_DIR: never in a tree.
    pub(super) excluded: HashSet<TreePath>,
}

/// A saved tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub tree: TreeId,
    /// What is missing from it, for the report.
    pub skipped: Vec<Skipped>,
}

/// Walks that are tried: files come and go while one is on its way.
const TRIES: usize = 6;

impl Trees {
    /// Trees of `workspace`, kept in `cache_dir`. `excluded` files and folders are in none. `path` is PATH, to find git.
    ///
    /// # Errors
    /// No git, a workspace that isn't there, a CACHE_DIR that can't be written, or that is or holds the workspace.
    pub fn open(
        spawner: &Spawner,
        cache_dir: &Path,
        workspace: &Path,
        excluded: Vec<PathBuf>,
        path: &OsStr,
    ) -> Result<Trees> {
        let workspace = workspace.canonicalize();
        let workspace = workspace.context("cannot find the workspace: name an existing folder")?;
        let mut paths = HashSet::new();
        for path in excluded.iter().map(PathBuf::as_path).chain([cache_dir]) {
            let names = names_of(path)?;
            if names.iter().any(|path| workspace.starts_with(path)) {
                let (path, workspace) = (path.display(), workspace.display());
                bail!(
                    "the workspace {workspace} cannot hold CACHE_DIR or the board as a whole, nor lie in it ({path}): choose another"
                );
            }
            paths.extend(names.iter().filter_map(|path| TreePath::below(&workspace, path)));
        }
        let repository = Repository::of(&workspace);
        let git = Git::open(spawner, cache_dir, &workspace, repository.as_ref(), path)?;
        Ok(Trees { git, workspace, excluded: paths })
    }

    /// The tree before an attempt, and the rules that the tree after it has to be taken with. Files of the paths in `named` are
    /// in although they are ignored.
    pub fn snapshot_before(&self, named: &[TreePath]) -> Result<(Snapshot, IgnoreRules)> {
        let repository = Repository::of(&self.workspace);
        let (workspace, excluded) = (&self.workspace, &self.excluded);
        self.attempt(|| {
            let above = IgnoreRules::above(repository.as_ref(), workspace);
            let patterns = |folder: &TreePath, there: bool| there.then(|| patterns(workspace, folder)).flatten();
            let mut walked = walk(workspace, Level::above(&above), |path, _| excluded.contains(path), patterns)?;
            let within = std::mem::take(&mut walked.patterns);
            let mut rules = IgnoreRules { above, within, ..IgnoreRules::default() };
            rules.tracked = self.tracked_but_ignored(repository.as_ref(), &mut walked);
            rules.tracked.extend(named.iter().filter(|path| path.can_be_held()).cloned());
            self.add_tracked(&rules, &mut walked);
            self.recall(&mut walked)?;
            rules.left_out.extend(self.excluded.iter().cloned());
            rules.left_out.extend(walked.skipped.iter().map(|skipped| skipped.path.clone()));
            rules.aside = Aside::of(&walked);
            Ok((walked, rules))
        })
    }

    /// The tree after an attempt, by the rules of the tree before it. `ended`: of one that ended a while ago, when, and the
    /// tree before it.
    pub fn snapshot_after(&self, rules: &IgnoreRules, ended: Option<(SystemTime, &TreeId)>) -> Result<Snapshot> {
        let (texts, workspace, excluded) = (rules.by_folder(), &self.workspace, &self.excluded);
        let left_out = |path: &TreePath, _| excluded.contains(path) || rules.left_out.contains(path);
        let (snapshot, ()) = self.attempt(|| {
            let patterns = |folder: &TreePath, _| texts.get(folder).map(|text| (*text).to_owned());
            let mut walked = walk(workspace, Level::above(&rules.above), left_out, patterns)?;
            walked.miss(workspace, &rules.aside.large);
            self.add_tracked(rules, &mut walked);
            self.recall(&mut walked)?;
            if let Some((ended, before)) = ended {
                self.as_before(before, ended, &mut walked.files)?;
            }
            Ok((walked, ()))
        })?;
        Ok(snapshot)
    }

    /// What changed later is somebody else's doing: to the attempt it is as it was before.
    fn as_before(&self, before: &TreeId, ended: SystemTime, files: &mut Vec<Found>) -> Result<()> {
        let later = |found: &Found| found.stamp.is_after(ended);
        if !files.iter().any(later) {
            return Ok(());
        }
        let stood: HashMap<TreePath, Blob> = self.saved().files(before)?;
        files.retain_mut(|found| match (later(found), stood.get(&found.path)) {
            (false, _) => true,
            (true, None) => false,
            (true, Some(blob)) => {
                // Its stamp is not that of what it holds now.
                *found = Found {
                    mode: blob.mode,
                    stamp: Stamp::default(),
                    blob: Some(*blob),
                    path: found.path.clone(),
                    ..*found
                };
                true
            }
        });
        Ok(())
    }

    /// For reading what was taken.
    pub fn saved(&self) -> &SavedTrees {
        &self.git.saved
    }

    pub(super) fn writer(&self) -> &Writer {
        &self.git.writer
    }

    /// What an attempt did, and what undoing it would do; from now on the user's repository may let go of what it lent for that.
    pub fn work(&self, before: &TreeId, after: &TreeId) -> Result<Work> {
        let (work, changes) = self.saved().work(before, after)?;
        self.saved().saved(self.git.keep(&changes))?;
        Ok(work)
    }

    /// A patch of these changes and no others, as [`SavedTrees::patch`] makes it.
    pub fn patch_of(&self, changes: &[&Change]) -> Result<Vec<u8>> {
        let (before, after) = self.git.write_changes(changes)?;
        self.git.saved.patch(&before, &after)
    }

    /// Removes from the private folder what neither these trees nor the memory of files need. What a kill leaves goes the next time.
    pub fn prune<'t>(&self, needed: impl IntoIterator<Item = &'t TreeId>) -> Result<()> {
        self.git.prune(needed)
    }

    /// Of the index of trees: what files held.
    pub fn index_stamp(&self) -> Option<Stamp> {
        self.git.index_stamp()
    }

    /// Makes the next tree from every file anew.
    pub fn forget(&self) -> Result<()> {
        self.git.forget()
    }

    fn attempt<T>(&self, walk: impl Fn() -> Result<(Walked, T)>) -> Result<(Snapshot, T)> {
        let mut tried = 0;
        loop {
            let began = SystemTime::now();
            let (walked, more) = walk()?;
            if let Some(pipe) = &walked.blocking {
                bail!("{pipe} is no plain file, and git would wait for it: remove it");
            }
            tried += 1;
            match self.git.write(walked.files, began) {
                Ok(tree) => return Ok((Snapshot { tree, skipped: walked.skipped }, more)),
                Err(error) if tried == TRIES => {
                    let (workspace, folder) = (self.workspace.display(), self.git.saved.folder.display());
                    return Err(error.context(format!("cannot take a tree of {workspace} into {folder}")));
                }
                // A file came or went; or what is remembered is damaged or rests on objects that are gone.
                Err(_) if tried % 2 == 0 => self.git.forget()?,
                Err(_) => {}
            }
        }
    }

    /// Paths that the user's index has and the walk has not, though they are there.
    fn tracked_but_ignored(&self, repository: Option<&Repository>, walked: &mut Walked) -> Vec<TreePath> {
        let Some(repository) = repository else { return Vec::new() };
        let tracked = match self.tracked(repository) {
            Ok(tracked) => tracked,
            Err(error) => {
                let reason = format!(
                    "the repository's index cannot be read, so tracked files that are ignored are left out: {error:#}"
                );
                walked.skipped.push(Skipped { path: TreePath::new(".git/index"), reason });
                return Vec::new();
            }
        };
        let mut found = walked.files.iter().map(|found| &found.path).peekable();
        let mut lacking = |path: &&TreePath| {
            while found.next_if(|found| found < path).is_some() {}
            found.peek() != Some(path)
        };
        let there = |path: &&TreePath| fs::symlink_metadata(self.workspace.join(path.as_path())).is_ok();
        tracked.iter().map(|(path, _)| path).filter(|path| lacking(path) && there(path)).cloned().collect()
    }

    /// Says of the files, ordered by path, what is remembered of them, and passes over those that can't be read.
    fn recall(&self, walked: &mut Walked) -> Result<()> {
        self.remembered(&mut walked.files)?;
        walked.readable(&self.workspace);
        Ok(())
    }

    /// Says of the files, ordered by path, what is remembered of them.
    pub(super) fn remembered(&self, files: &mut [Found]) -> Result<()> {
        self.git.recall(files)
    }

    /// What the user's index tracks of the workspace, ordered by path.
    pub(super) fn tracked(&self, repository: &Repository) -> Result<Tracked> {
        self.git.tracked(repository, &self.workspace)
    }

    fn add_tracked(&self, rules: &IgnoreRules, walked: &mut Walked) {
        if rules.tracked.is_empty() {
            return;
        }
        for path in &rules.tracked {
            let left_out = |part: &TreePath| self.excluded.contains(part) || rules.left_out.contains(part);
            let out = path.folders().chain([path.clone()]).any(|part| left_out(&part));
            let place = |path: &TreePath| lstat(self.workspace.join(path.as_path()));
            let real =
                path.stays_inside() && path.folders().all(|folder| place(&folder).is_ok_and(|stat| is_folder(&stat)));
            if let Ok(stat) = place(path)
                && real
                && !out
                && !is_folder(&stat)
            {
                walked.file(path.clone(), &stat);
            }
        }
        walked.files.sort_by(|a, b| a.path.cmp(&b.path));
        // A tracked file that came in the instant after the first walk is met by the next one as well.
        walked.files.dedup_by(|a, b| a.path == b.path);
    }
}

/// The text of a folder's `.gitignore`.
pub(super) fn patterns(workspace: &Path, folder: &TreePath) -> Option<String> {
    small_file(&workspace.join(folder.as_path()).join(".gitignore"))
}

/// A path as it is named, in its real folder, and what it leads to: a board may be a symlink. What isn't there yet is
/// named from the nearest folder that is.
fn names_of(path: &Path) -> Result<Vec<PathBuf>> {
    let path = std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))?;
    let above = path.ancestors().skip(1).find_map(|folder| {
        let rest = path.strip_prefix(folder).ok()?;
        Some(folder.canonicalize().ok()?.join(rest))
    });
    Ok(path.canonicalize().into_iter().chain(above).collect())
}
