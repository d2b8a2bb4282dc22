//! What the files of the last tree held, so that the next one reads only those that changed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::git::TreeId;
use super::walk::Found;
use super::{Blob, TreePath};
use crate::storage::{Stamp, Writer};

/// Fewer changed files are rather read again after a restart than written down now.
const WRITTEN_DOWN: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Of this process, holding them all.
    pub tree: Option<TreeId>,
    files: HashMap<TreePath, Known>,
    /// So many files of it are not in its file.
    unwritten: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    /// As it was read. None where it could still change without a trace: it has to be read again.
    stamp: Option<Stamp>,
    blob: Blob,
}

impl Memory {
    /// What the file holds; nothing where there is none, or it is damaged.
    pub fn load(path: &Path) -> Memory {
        let written = fs::read(path).ok();
        let files = written.and_then(|json| serde_json::from_slice::<Vec<(TreePath, Known)>>(&json).ok());
        Memory { files: files.unwrap_or_default().into_iter().collect(), ..Memory::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.files.values().map(|known| known.blob.id.as_str())
    }

    /// Keeps the files that hold these.
    pub fn retain(&mut self, holds: impl Fn(&str) -> bool) {
        self.files.retain(|_, known| holds(&known.blob.id));
    }

    pub fn blob(&self, found: &Found) -> Option<&Blob> {
        self.files.get(&found.path).filter(|known| known.stamp == Some(found.stamp)).map(|known| &known.blob)
    }

    /// Whether the file held this, which is saved then.
    pub fn held(&self, path: &TreePath, id: &str) -> bool {
        self.files.get(path).is_some_and(|known| known.blob.id == id)
    }

    /// Whether these are the files of the last tree, all of them and no others, as they were.
    pub fn is_of(&self, files: &[Found]) -> bool {
        self.files.len() == files.len() && files.iter().all(|found| self.blob(found).is_some())
    }

    /// Holds exactly these from now on, met by a walk that began at `began`.
    pub fn replace(&mut self, tree: TreeId, files: Vec<(Found, Blob)>, began: SystemTime) {
        let known = files.into_iter().map(|(Found { path, stamp, .. }, blob)| {
            let stamp = Some(stamp).filter(|stamp| stamp.is_settled(began));
            (path, Known { stamp, blob })
        });
        let known: HashMap<TreePath, Known> = known.collect();
        let new = known.iter().filter(|(path, known)| self.files.get(*path).is_none_or(|old| old.stamp != known.stamp));
        self.unwritten += new.count();
        (self.tree, self.files) = (Some(tree), known);
    }

    /// Writes it down, where there is no file yet or enough is new.
    pub fn keep(&mut self, writer: &Writer, path: &Path) -> Result<()> {
        if self.unwritten >= WRITTEN_DOWN || !path.exists() {
            writer.replace(path, &serde_json::to_vec(&self.files.iter().collect::<Vec<_>>())?)?;
            self.unwritten = 0;
        }
        Ok(())
    }
}
