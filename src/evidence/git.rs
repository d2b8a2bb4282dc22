//! Trees in a private folder of git's, written as git writes them: raw bytes in. What reads them back is [`SavedTrees`].

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{self, Folders};
use super::memory::Memory;
use super::objects::Kind;
use super::repository::Repository;
use super::saved::{LENDERS, SavedTrees};
use super::walk::Found;
use super::{Blob, Change, Id, TreePath};
use crate::process::Spawner;
use crate::storage::{self, Batch, Stamp, Writer};

/// The name of a saved tree: hex of 40 or 64 digits, so that one read from a file can't be taken for an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreeId(String);

impl TreeId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn id(&self) -> Result<Id> {
        Id::parse(&self.0).with_context(|| format!("`{self}` is no tree id"))
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

impl From<Id> for TreeId {
    fn from(id: Id) -> TreeId {
        TreeId(id.to_string())
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

/// What an index tracks, ordered by path: one that is not merged yet is there more than once.
pub(super) type Tracked = Rc<[(TreePath, Blob)]>;

/// Changes where objects are packed, or folders of them come or go.
type Lent = Option<[Option<Stamp>; 2]>;

#[derive(Debug)]
pub(super) struct Git {
    pub saved: SavedTrees,
    pub writer: Writer,
    sha_256: bool,
    /// None until it is asked for.
    memory: RefCell<Option<Memory>>,
    /// The objects of the user's repository, and as they were when they were last asked for.
    lender: Option<PathBuf>,
    lent: RefCell<Lent>,
    tracked: RefCell<Option<(Stamp, Tracked)>>,
}

/// So many changed files are written here. More of them, and those of the first tree, are given to git, which knows what the
/// user's repository has of them, and brings the others to disk together.
const FEW: usize = 32;

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
        let lender = repository.map(|repository| repository.common.join("objects"));
        let (memory, lent, tracked) = Default::default();
        let git = Git { saved, writer: spawner.writer().clone(), sha_256, memory, lender, lent, tracked };
        git.lay_out()?;
        Ok(git)
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
            if !storage::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                self.writer.replace(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// What the user's index tracks of the workspace, ordered by path. Read under the private configuration. Nothing where
    /// there is no index yet.
    pub fn tracked(&self, repository: &Repository, workspace: &Path) -> Result<Tracked> {
        let index = repository.folder.join("index");
        let now = Stamp::of(&index);
        if let Some((_, tracked)) = self.tracked.borrow().as_ref().filter(|(stamp, _)| Some(*stamp) == now) {
            return Ok(tracked.clone());
        }
        if now.is_none() {
            return Ok(Rc::default());
        }
        let listed = self.saved.run_with(&["ls-files", "--stage", "-z"], Some(&index), b"")?;
        let here = |(path, blob)| Some((repository.inside(path, workspace)?, blob));
        let tracked: Tracked = listed.split(|byte| *byte == 0).filter_map(staged).filter_map(here).collect();
        *self.tracked.borrow_mut() = now.map(|stamp| (stamp, tracked.clone()));
        Ok(tracked)
    }

    /// Tells what files hold, where that is remembered.
    pub fn recall(&self, files: &mut [Found]) -> Result<()> {
        self.memory()?.recall(files);
        Ok(())
    }

    /// Writes the tree of exactly these files, ordered by path, met by a walk that began at `began`. Only those are read of
    /// which nothing is remembered.
    pub fn write(&self, mut files: Vec<Found>, began: SystemTime) -> Result<TreeId> {
        // An agent could have written filters there.
        self.lay_out()?;
        let mut memory = self.memory()?;
        // Somebody removed what is remembered to be there.
        if memory.tree.is_some_and(|tree| !self.saved.objects.holds(tree)) {
            *memory = Memory::default();
            memory.recall(&mut files);
        }
        if let Some(tree) = memory.tree.filter(|_| memory.is_of(&files)) {
            return Ok(tree.into());
        }
        let changed: Vec<&Found> = files.iter().filter(|found| found.blob.is_none()).collect();
        let new = changed.len();
        let mut objects = self.writer.batch();
        let blobs = match new <= FEW && !memory.is_empty() {
            true => {
                let store = |found| self.store(found, &memory, &mut objects);
                changed.into_iter().map(store).collect::<Result<Vec<Blob>>>()?
            }
            false => self.store_many(&changed)?,
        };
        for (found, blob) in files.iter_mut().filter(|found| found.blob.is_none()).zip(blobs) {
            found.blob = Some(blob);
        }
        memory.replace(files, began, new);
        let store = |listing: &[u8]| self.store_listing(listing, &mut objects);
        let listed = memory.list(|id| self.saved.objects.holds(id), store);
        let written = listed.and_then(|tree| objects.commit().map(|()| tree));
        // What is not on disk must not be remembered to be there.
        let tree = written.inspect_err(|_| *memory = Memory::default())?;
        memory.tree = Some(tree);
        memory.keep(&self.writer, &self.saved.index)?;
        Ok(tree.into())
    }

    /// Without what the user's repository has let go of: people rewrite history between attempts.
    fn memory(&self) -> Result<RefMut<'_, Memory>> {
        let mut memory = self.memory.borrow_mut();
        let lent = self.lender.as_ref().map(|objects| [Stamp::of(objects), Stamp::of(&objects.join("pack"))]);
        if self.lent.replace(lent) != lent || memory.is_none() {
            let mut known = memory.take().unwrap_or_else(|| Memory::load(&self.saved.index));
            let missing = self.saved.missing(known.ids())?;
            if !missing.is_empty() {
                known.retain(|id| !missing.contains(&id));
            }
            *memory = Some(known);
        }
        Ok(RefMut::map(memory, |memory| memory.get_or_insert_default()))
    }

    fn store(&self, found: &Found, memory: &Memory, objects: &mut Batch<'_>) -> Result<Blob> {
        let bytes = self.saved.contents(found).with_context(|| format!("cannot read {}", found.path))?;
        let id = self.saved.objects.name(Kind::Blob, &bytes);
        if !memory.held(&found.path, id) {
            self.saved.objects.write(objects, Kind::Blob, id, &bytes)?;
        }
        Ok(Blob { id, mode: found.mode })
    }

    /// Their blobs, in the same order.
    fn store_many(&self, files: &[&Found]) -> Result<Vec<Blob>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let index = self.saved.folder.join("index-new");
        let lock = self.saved.folder.join("index-new.lock");
        for left in [&index, &lock] {
            self.writer.remove(left)?;
        }
        let paths: Vec<u8> = files.iter().flat_map(|found| [found.path.as_bytes(), &[0]].concat()).collect();
        self.saved.run_with(&["update-index", "-z", "--add", "--replace", "--stdin"], Some(&index), &paths)?;
        let listed = self.saved.run_with(&["ls-files", "--stage", "-z"], Some(&index), b"")?;
        self.writer.remove(&index)?;
        let blobs: HashMap<TreePath, Blob> = listed.split(|byte| *byte == 0).filter_map(staged).collect();
        let blob = |found: &&Found| {
            let blob = blobs.get(&found.path).filter(|blob| blob.mode == found.mode).copied();
            blob.with_context(|| format!("{} changed meanwhile", found.path))
        };
        files.iter().map(blob).collect()
    }

    fn store_listing(&self, listing: &[u8], objects: &mut Batch<'_>) -> Result<Id> {
        let id = self.saved.objects.name(Kind::Tree, listing);
        self.saved.objects.write(objects, Kind::Tree, id, listing)?;
        Ok(id)
    }

    /// Trees of these files alone: as they were before, and as they were after.
    pub fn write_changes(&self, changes: &[&Change]) -> Result<(TreeId, TreeId)> {
        let mut objects = self.writer.batch();
        let mut side = |of: fn(&Change) -> Option<Blob>| -> Result<TreeId> {
            let mut files: Vec<(&TreePath, Blob)> =
                changes.iter().filter_map(|change| Some((&change.path, of(change)?))).collect();
            files.sort_unstable_by_key(|(path, _)| *path);
            let store = |listing: &[u8]| self.store_listing(listing, &mut objects);
            Ok(listing::build(&files, &mut Folders::default(), store)?.into())
        };
        let trees = (side(|change| change.before)?, side(|change| change.after)?);
        objects.commit()?;
        Ok(trees)
    }

    /// Copies what these changes are about out of the user's repository, which lets go of what its history no longer needs.
    pub fn keep(&self, changes: &[Change]) -> Result<()> {
        let blobs = changes.iter().flat_map(|change| [change.before, change.after]).flatten().map(|blob| blob.id);
        let lent: BTreeSet<Id> = blobs.filter(|id| !self.saved.objects.holds(*id)).collect();
        if lent.is_empty() {
            return Ok(());
        }
        let ids: String = lent.iter().map(|id| format!("{id}\n")).collect();
        let pack = self.saved.run(&["pack-objects", "--stdout", "--window=0", "-q"], ids.as_bytes())?;
        // What is lent is not written where git knows of the lender.
        self.saved.run_at(&["unpack-objects", "-q"], None, Some((LENDERS, OsStr::new(""))), &pack)?;
        Ok(())
    }

    /// Removes the objects that none of these trees reaches and that the memory doesn't need. Trees that are gone are passed
    /// over.
    pub fn prune<'t>(&self, needed: impl IntoIterator<Item = &'t TreeId>) -> Result<()> {
        self.lay_out()?;
        let remembered = self.memory.borrow().as_ref().and_then(|memory| memory.tree);
        if remembered.is_none() {
            self.memory.take();
        }
        let needed = needed.into_iter().map(TreeId::id).chain(remembered.map(Ok)).collect::<Result<Vec<Id>>>()?;
        let missing = self.saved.missing(needed.iter().copied())?;
        let trees: Vec<String> = needed.iter().filter(|tree| !missing.contains(tree)).map(Id::to_string).collect();
        let args: Vec<&str> =
            ["prune", "--expire=now", "--"].into_iter().chain(trees.iter().map(String::as_str)).collect();
        self.saved.run(&args, b"")?;
        self.saved.objects.tidy(&self.writer)
    }

    pub fn index_stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.saved.index)
    }

    /// Lets go of what is remembered: the next tree is made from every file anew.
    pub fn forget(&self) -> Result<()> {
        self.memory.replace(Some(Memory::default()));
        self.writer.remove(&self.saved.index)
    }
}

/// A piece of `git ls-files --stage -z`: `MODE ID STAGE TAB path`.
fn staged(line: &[u8]) -> Option<(TreePath, Blob)> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let about = str::from_utf8(&line[..tab]).ok()?;
    let (mode, rest) = about.split_once(' ')?;
    let id = Id::parse(rest.split_once(' ')?.0)?;
    Some((TreePath::new(&line[tab + 1..]), Blob { id, mode: u32::from_str_radix(mode, 8).ok()? }))
}

pub(super) fn names(listed: &[u8]) -> impl Iterator<Item = TreePath> {
    listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(TreePath::new)
}
