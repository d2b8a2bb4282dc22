//! Taking work back: files are put as they were before attempts, where they still are as these left them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::objects::{Kind, name};
use super::saved::FEW;
use super::walk::{LARGEST, mode};
use super::{Aside, Blob, Change, Id, Skipped, TreePath, Trees};

use crate::storage;

/// What attempts did to a path, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub change: Change,
    /// The first of the attempts that it covers: what others did to the path before is not undone.
    pub first: usize,
}

/// What attempts did, oldest first, path by path. Where somebody else changed a path between two of them, only what came
/// after that is theirs to undo; the paths of those are told.
pub fn deeds(attempts: &[Vec<Change>]) -> (Vec<Deed>, BTreeSet<TreePath>) {
    let mut deeds: BTreeMap<&TreePath, Deed> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (at, change) in attempts.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |change| (at, change))) {
        match deeds.get_mut(&change.path) {
            Some(deed) if deed.change.after == change.before => deed.change.after.clone_from(&change.after),
            found => {
                if found.is_some() {
                    broken.insert(change.path.clone());
                }
                deeds.insert(&change.path, Deed { change: change.clone(), first: at });
            }
        }
    }
    let changed = |deed: &Deed| deed.change.before != deed.change.after;
    (deeds.into_values().filter(changed).collect(), broken)
}

impl Trees {
    /// Which deeds can be undone, and what is left as it is: what is not as the attempts left it, what `spared` says, and
    /// what is in no tree. What was undone already counts as such.
    pub fn undoable(&self, deeds: Vec<Deed>, spared: impl Fn(&TreePath) -> bool) -> (Vec<Deed>, Vec<Skipped>) {
        let mut left = Vec::new();
        let paths: BTreeSet<TreePath> = deeds.iter().map(|deed| deed.change.path.clone()).collect();
        let undoable = deeds.into_iter().filter(|deed| {
            let path = &deed.change.path;
            let reason = match path.folders().chain([path.clone()]).any(|part| self.excluded.contains(&part)) {
                true => Some(SPARED.to_owned()),
                false if !path.stays_inside() || spared(path) => Some(SPARED.to_owned()),
                // What an attempt put there goes first.
                false if self.in_the_way(path).is_some_and(|folder| !paths.contains(&folder)) => {
                    Some(BLOCKED.to_owned())
                }
                false => self.stands(&deed.change),
            };
            left.extend(reason.clone().map(|reason| Skipped { path: path.clone(), reason }));
            reason.is_none()
        });
        (undoable.collect(), left)
    }

    /// Undoes what is [`Trees::undoable`]; the paths that are as before now, and those that could not be put back. `asides`:
    /// what was beside the trees before each attempt, as far as that is known.
    pub fn undo(&self, deeds: &[Deed], asides: &[Aside]) -> (BTreeSet<TreePath>, Vec<Skipped>) {
        let (mut back, mut left) = (BTreeSet::new(), Vec::new());
        // What is in the way of a file goes before the file comes: a folder may have taken its place.
        let (made, others): (Vec<&Deed>, Vec<&Deed>) = deeds.iter().partition(|deed| deed.change.before.is_none());
        let mut undo = |deeds: &[&Deed]| {
            let ids = deeds.iter().filter_map(|deed| Some(deed.change.before?.id)).collect();
            let contents = self.saved().found(&ids);
            for Deed { change, first } in deeds {
                let path = change.path.clone();
                match self.undo_one(change, asides.get(*first), &contents) {
                    Ok(None) => drop(back.insert(path)),
                    Ok(Some(reason)) => left.push(Skipped { path, reason }),
                    Err(error) => left.push(Skipped { path, reason: format!("{error:#}") }),
                }
            }
        };
        undo(&made);
        let folders = self.put_folders(asides.first());
        others.chunks(FEW).for_each(undo);
        left.extend(folders);
        (back, left)
    }

    /// Makes the folders again that are not there though they were, also those that were empty; those that can't be made.
    fn put_folders(&self, aside: Option<&Aside>) -> Vec<Skipped> {
        let mut left = Vec::new();
        for (path, permissions) in aside.iter().flat_map(|aside| &aside.folders) {
            let place = self.workspace.join(path.as_path());
            let stands = fs::symlink_metadata(&place);
            if stands.as_ref().is_ok_and(|data| data.is_dir()) {
                continue;
            }
            let blocked = stands.is_ok() || self.in_the_way(path).is_some();
            let made = if blocked { Err(anyhow!(BLOCKED)) } else { self.writer().put_folder(&place, *permissions) };
            left.extend(made.err().map(|error| Skipped { path: path.clone(), reason: format!("{error:#}") }));
        }
        left
    }

    fn undo_one(
        &self,
        change: &Change,
        aside: Option<&Aside>,
        contents: &HashMap<Id, Vec<u8>>,
    ) -> Result<Option<String>> {
        let (top, path) = (&self.workspace, self.workspace.join(change.path.as_path()));
        let writer = self.writer();
        if let Some(reason) = self.stands(change) {
            return Ok(Some(reason));
        }
        let in_the_way = self.in_the_way(&change.path).is_some();
        let Some(before) = &change.before else {
            if !in_the_way {
                writer.take(&path, top)?;
            }
            return Ok(None);
        };
        if in_the_way {
            return Ok(Some(BLOCKED.to_owned()));
        }
        // Of a run that was killed in the midst of it.
        writer.unstage(&path)?;
        if found(top, &change.path, digits(change)) == Found::File(*before) {
            return Ok(None);
        }
        let bytes = contents.get(&before.id).context("what it held is in no saved tree")?;
        let permissions = aside.and_then(|aside| aside.permissions(&change.path, before.mode));
        let put = writer.put(&path, before.mode, permissions, bytes, || self.stands(change).is_none())?;
        Ok((!put).then(|| CHANGED.to_owned()))
    }

    /// What stands where a folder would have to be: nothing is written through a symlink.
    fn in_the_way(&self, path: &TreePath) -> Option<TreePath> {
        let other = |folder: &TreePath| {
            fs::symlink_metadata(self.workspace.join(folder.as_path())).is_ok_and(|data| !data.is_dir())
        };
        path.folders().find(other)
    }

    /// Why a path can't be put back: it is neither as the attempts left it nor as it was before them.
    fn stands(&self, change: &Change) -> Option<String> {
        let now = found(&self.workspace, &change.path, digits(change));
        if [&change.after, &change.before].iter().any(|known| now == Found::of(known.as_ref())) {
            return None;
        }
        Some(match now {
            Found::Nothing => "it was removed since".to_owned(),
            Found::File(_) => CHANGED.to_owned(),
            Found::Other(reason) => reason,
        })
    }
}

const CHANGED: &str = "it was changed since";
const BLOCKED: &str = "a folder that it was in is none any more";
const SPARED: &str = "the board, what cards are judged by and CACHE_DIR are not touched";

/// What is at a path, as trees know it.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// A folder is no file, and what lies behind a symlink is not at this path.
    Nothing,
    File(Blob),
    Other(String),
}

impl Found {
    fn of(blob: Option<&Blob>) -> Found {
        blob.map_or(Found::Nothing, |blob| Found::File(*blob))
    }
}

fn digits(change: &Change) -> usize {
    [&change.before, &change.after].into_iter().flatten().map(|blob| blob.id.digits()).next().unwrap_or_default()
}

fn found(top: &Path, path: &TreePath, digits: usize) -> Found {
    let folder = |folder: TreePath| fs::symlink_metadata(top.join(folder.as_path())).is_ok_and(|data| data.is_dir());
    if !path.folders().all(folder) {
        return Found::Nothing;
    }
    let place = top.join(path.as_path());
    let read = |data: &Metadata| match data.is_symlink() {
        true => fs::read_link(&place).map(|target| target.as_os_str().as_bytes().to_vec()),
        false => storage::read(&place),
    };
    let data = match fs::symlink_metadata(&place) {
        Ok(data) if data.is_dir() => return Found::Nothing,
        Ok(data) if data.is_symlink() || data.is_file() && data.len() <= LARGEST => data,
        Ok(_) => return Found::Other("it is no plain file any more, or a large one".to_owned()),
        Err(_) => return Found::Nothing,
    };
    match read(&data) {
        Ok(bytes) => Found::File(Blob {
            id: name(Kind::Blob, &bytes, digits),
            mode: mode(data.is_symlink(), data.mode() & 0o100 != 0),
        }),
        Err(error) => Found::Other(format!("it cannot be read: {error}")),
    }
}
