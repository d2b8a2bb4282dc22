//! What the files of the last tree held, so that the next one reads only those that changed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

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
    /// Ordered by path.
    files: Vec<Known>,
    /// So many files of it are not in its file.
    unwritten: usize,
}

/// In the file: path, stamp, mode, id.
type Written = (String, Option<Stamp>, u32, String);

#[derive(Debug)]
struct Known {
    path: TreePath,
    /// As it was read. None where it could still change without a trace: it has to be read again.
    stamp: Option<Stamp>,
    blob: Blob,
}

impl Memory {
    /// What the file holds; nothing where there is none, or it is damaged.
    pub fn load(path: &Path) -> Memory {
        let written = fs::read(path).ok();
        let written = written.and_then(|json| serde_json::from_slice::<Vec<Written>>(&json).ok());
        let known = |(path, stamp, mode, id)| Known { path: TreePath::new(path), stamp, blob: Blob { id, mode } };
        Memory { files: written.unwrap_or_default().into_iter().map(known).collect(), ..Memory::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|known| known.blob.id.as_str())
    }

    /// Keeps the files that hold these.
    pub fn retain(&mut self, holds: impl Fn(&str) -> bool) {
        self.files.retain(|known| holds(&known.blob.id));
    }

    /// Tells of each file, ordered by path, what it holds, where it is as it was.
    pub fn recall(&self, files: &mut [Found]) {
        let mut known = self.files.iter().peekable();
        for found in files {
            while known.next_if(|known| known.path < found.path).is_some() {}
            let same = known.peek().filter(|known| known.path == found.path && known.stamp == Some(found.stamp));
            found.blob = same.map(|known| known.blob.clone());
        }
    }

    /// Whether the file held this, which is saved then.
    pub fn held(&self, path: &TreePath, id: &str) -> bool {
        let known = self.files.binary_search_by(|known| known.path.cmp(path));
        known.is_ok_and(|at| self.files[at].blob.id == id)
    }

    /// Whether these, recalled, are the files of the last tree, all of them and no others, as they were.
    pub fn is_of(&self, files: &[Found]) -> bool {
        self.files.len() == files.len() && files.iter().all(|found| found.blob.is_some())
    }

    /// Holds exactly these from now on, met by a walk that began at `began`. So many of them are new.
    pub fn replace(&mut self, tree: TreeId, files: Vec<(Blob, Found)>, began: SystemTime, new: usize) {
        let known = |(blob, Found { path, stamp, .. }): (Blob, Found)| Known {
            path,
            stamp: Some(stamp).filter(|stamp| stamp.is_settled(began)),
            blob,
        };
        self.files = files.into_iter().map(known).collect();
        self.tree = Some(tree);
        self.unwritten += new;
    }

    /// Writes it down, where there is no file yet or enough is new. A path that is no text is forgotten with the process.
    pub fn keep(&mut self, writer: &Writer, path: &Path) -> Result<()> {
        if self.unwritten >= WRITTEN_DOWN || !path.exists() {
            let written = self.files.iter().filter_map(|Known { path, stamp, blob }| {
                Some((str::from_utf8(path.as_bytes()).ok()?, stamp, blob.mode, &blob.id))
            });
            writer.replace(path, &serde_json::to_vec(&written.collect::<Vec<_>>())?)?;
            self.unwritten = 0;
        }
        Ok(())
    }
}
