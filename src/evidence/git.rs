//! Git under a private index and object folder: raw bytes in, trees out. What reads them back is [`SavedTrees`].

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Result, anyhow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::repository::Repository;
use super::saved::{SavedTrees, text};
use super::{Blob, Change, TreePath};
use crate::process::Spawner;
use crate::storage::{Stamp, Writer};

/// The name of a saved tree: hex of 40 or 64 digits, so that one read from a file can't be taken for an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreeId(String);

impl TreeId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for TreeId {
    type Error = String;

    fn try_from(text: String) -> Result<TreeId, String> {
        match (text.len(), text.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            (40 | 64, true) => Ok(TreeId(text)),
            _ => Err(format!("`{text}` is no tree id")),
        }
    }
}

impl From<TreeId> for String {
    fn from(id: TreeId) -> String {
        id.0
    }
}

/// Nothing of the user's configuration is read; what differs from git's defaults is said here. Objects reach the disk
/// before a tree's id is given out: a move may rest on them after a power cut.
const CONFIG: &str = "[core]
\tbare = false
\tfilemode = true
\tautocrlf = false
\tprotectNTFS = false
\tprotectHFS = false
\tfsync = loose-object
\tfsyncMethod = batch
\tlooseCompression = 1
\thooksPath = /dev/null
\tattributesFile = /dev/null
[gc]
\tauto = 0
";

/// Stronger than any `.gitattributes` of the workspace: files are stored and compared as they are.
/// `working-tree-encoding` is made unspecified, since git dies of a false one.
const ATTRIBUTES: &str = "* -text -filter -ident !eol !working-tree-encoding !diff\n";

#[derive(Debug)]
pub(super) struct Git {
    pub saved: SavedTrees,
    pub writer: Writer,
    sha_256: bool,
    index: RefCell<Option<Indexed>>,
    tracked: RefCell<Option<(Stamp, Vec<TreePath>)>>,
}

/// What the private index holds: as long as its file is the same, git need not be asked.
#[derive(Debug, Clone)]
struct Indexed {
    stamp: Stamp,
    files: Vec<TreePath>,
    tree: TreeId,
}

impl Git {
    /// Makes the private git folder below `cache`.
    pub fn open(
        spawner: &Spawner,
        cache: &Path,
        workspace: &Path,
        repository: Option<&Repository>,
        search: &OsStr,
    ) -> Result<Git> {
        let saved = SavedTrees::at(spawner.tool(), cache, workspace, repository, search)?;
        let sha_256 = repository.is_some_and(Repository::sha256);
        let (index, tracked) = Default::default();
        let git = Git { saved, writer: spawner.writer().clone(), sha_256, index, tracked };
        git.lay_out()?;
        Ok(Git { saved: git.saved.ready()?, ..git })
    }

    /// What `git init` would write, less templates, hooks and probes; written each time, so that it is whole and nothing else.
    fn lay_out(&self) -> Result<()> {
        let known = ["objects", "refs", "info", "config", "HEAD", "attributes"];
        for folder in [self.saved.folder.clone(), self.saved.folder.join("info")] {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !known.iter().any(|known| name == *known) && !name.as_bytes().starts_with(b"index-") {
                    match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        true => self.writer.remove_folder(&entry.path())?,
                        false => self.writer.remove(&entry.path())?,
                    }
                }
            }
        }
        for folder in ["objects", "refs", "info"] {
            self.writer.folder(&self.saved.folder.join(folder))?;
        }
        let format = match self.sha_256 {
            true => "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n",
            false => "\trepositoryformatversion = 0\n",
        };
        for (name, text) in [
            ("config", format!("[core]\n{format}{CONFIG}")),
            ("info/attributes", ATTRIBUTES.to_owned()),
            ("HEAD", "ref: refs/heads/none\n".to_owned()),
        ] {
            let path = self.saved.folder.join(name);
            if !fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                self.writer.replace(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// What the user's index tracks, in paths from `repository`'s top. Read under the private configuration.
    pub fn tracked(&self, repository: &Repository) -> Result<Vec<TreePath>> {
        let index = repository.folder.join("index");
        let now = Stamp::of(&index);
        if let Some((_, paths)) = self.tracked.borrow().as_ref().filter(|(stamp, _)| Some(*stamp) == now) {
            return Ok(paths.clone());
        }
        let listed = self.saved.run_with(&["ls-files", "-z"], Some(&index), b"")?;
        let paths: Vec<TreePath> = names(&listed).collect();
        *self.tracked.borrow_mut() = now.map(|stamp| (stamp, paths.clone()));
        Ok(paths)
    }

    /// Writes the tree of exactly these files. The index remembers what it has seen, so that only changed files are read.
    pub fn write(&self, files: &[TreePath]) -> Result<TreeId> {
        let mut lock = self.saved.index.clone().into_os_string();
        lock.push(".lock");
        // Left by a git that was killed: the run lock says that none is at work now.
        self.writer.remove(Path::new(&lock))?;
        // An agent could have written filters there.
        self.lay_out()?;
        let known = self.index.take().filter(|known| self.index_stamp() == Some(known.stamp));
        let kept: HashSet<&TreePath> = files.iter().collect();
        let gone = |path: &TreePath| !kept.contains(path);
        let gone: Vec<TreePath> = match &known {
            Some(known) => known.files.iter().filter(|path| gone(path)).cloned().collect(),
            None => names(&self.saved.run(&["ls-files", "-z"], b"")?).filter(gone).collect(),
        };
        if !gone.is_empty() {
            self.saved.run(&["update-index", "-z", "--force-remove", "--stdin"], &list(&gone))?;
        }
        self.saved.run(&["update-index", "-z", "--add", "--replace", "--remove", "--stdin"], &list(files))?;
        // Git doesn't write an index that it finds as it should be.
        let same = known.filter(|known| self.index_stamp() == Some(known.stamp) && self.saved.holds(&known.tree));
        let tree = match same {
            Some(known) => known.tree,
            None => tree(&self.saved.run(&["write-tree"], b"")?)?,
        };
        let indexed = |stamp| Indexed { stamp, files: files.to_vec(), tree: tree.clone() };
        *self.index.borrow_mut() = self.index_stamp().map(indexed);
        Ok(tree)
    }

    /// Trees of these files alone: as they were before, and as they were after.
    pub fn write_changes(&self, changes: &[&Change]) -> Result<(TreeId, TreeId)> {
        let index = self.saved.folder.join("index-changes");
        let lock = self.saved.folder.join("index-changes.lock");
        let side = |of: fn(&Change) -> Option<&Blob>| {
            self.writer.remove(&index)?;
            self.writer.remove(&lock)?;
            let entries = changes.iter().filter_map(|change| {
                let Blob { id, mode } = of(change)?;
                Some([format!("{mode:o} {id}\t").as_bytes(), change.path.as_bytes(), &[0]].concat())
            });
            let entries: Vec<u8> = entries.flatten().collect();
            self.saved.run_with(&["update-index", "-z", "--index-info"], Some(&index), &entries)?;
            tree(&self.saved.run_with(&["write-tree"], Some(&index), b"")?)
        };
        let trees = (side(|change| change.before.as_ref())?, side(|change| change.after.as_ref())?);
        self.writer.remove(&index)?;
        Ok(trees)
    }

    /// Removes the objects that none of these trees reaches and that are not in the index. Trees that are gone are passed over.
    pub fn prune<'t>(&self, needed: impl IntoIterator<Item = &'t TreeId>) -> Result<()> {
        self.lay_out()?;
        let asked: String = needed.into_iter().map(|tree| format!("{tree}\n")).collect();
        let known =
            text(&self.saved.run(&["cat-file", "--batch-check=%(objectname) %(objecttype)"], asked.as_bytes())?);
        let trees = known.lines().filter_map(|line| line.strip_suffix(" tree"));
        let args: Vec<&str> = ["prune", "--expire=now", "--"].into_iter().chain(trees).collect();
        self.saved.run(&args, b"").map(drop)
    }

    pub fn index_stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.saved.index)
    }

    /// Lets go of what the index remembers: the next tree is made from every file anew.
    pub fn forget(&self) -> Result<()> {
        self.writer.remove(&self.saved.index)
    }
}

fn tree(written: &[u8]) -> Result<TreeId> {
    TreeId::try_from(text(written.trim_ascii())).map_err(|reason| anyhow!("git write-tree: {reason}"))
}

pub(super) fn names(listed: &[u8]) -> impl Iterator<Item = TreePath> {
    listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(TreePath::new)
}

fn list(paths: &[TreePath]) -> Vec<u8> {
    paths.iter().flat_map(|path| path.as_bytes().iter().copied().chain([0])).collect()
}
