//! Saved trees, read back: what differs between them, and a card's change set. Whoever holds one can take no tree and writes
//! nothing, which is why it needs no run lock.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{Mode, OFlags, open};

use super::git::TreeId;
use super::listing::{self, Entry};
use super::objects::{Kind, Objects, name};
use super::repository::Repository;
use super::walk::{Found, LARGEST, LINK};
use super::{ChangeSet, FileChange, Id, TreePath, Version};
use crate::process::{Tool, is_executable};
use crate::storage::sha256;

/// The trees of one workspace, in the private git folder.
#[derive(Debug)]
pub struct SavedTrees {
    tool: Tool,
    program: String,
    pub(super) folder: PathBuf,
    workspace: PathBuf,
    /// From the top of the user's repository down to the workspace, `inner/`; empty where that is the top.
    below: String,
    pub(super) objects: Objects,
    /// The memory of what files held.
    pub(super) index: PathBuf,
    env: Vec<(OsString, OsString)>,
    /// Of the attempt that was read last, which its judge asks for next.
    at_hand: RefCell<Option<(Vec<Span>, Differences)>>,
}

/// A file in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    pub id: Id,
    /// `0o100644`, `0o100755` or `0o120000` (symlink).
    pub mode: u32,
}

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub path: TreePath,
    pub before: Option<Blob>,
    pub after: Option<Blob>,
}

/// What an attempt did, by the trees before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub before: TreeId,
    pub after: TreeId,
    /// What it did to these was taken back: nothing of it counts.
    pub without: BTreeSet<TreePath>,
}

impl From<(TreeId, TreeId)> for Span {
    fn from((before, after): (TreeId, TreeId)) -> Span {
        Span { before, after, without: BTreeSet::new() }
    }
}

/// Names the folders of objects that git reads beside its own.
pub(super) const LENDERS: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";
/// Bytes of file contents that are held at once.
const LARGEST_READ: u64 = 512 << 20;
/// So many files can't be too large together: no tree has one beyond [`LARGEST`].
pub(super) const FEW: usize = (LARGEST_READ / LARGEST) as usize;

/// What one attempt did.
#[derive(Debug)]
pub struct Work {
    pub changes: ChangeSet,
    /// What undoing it would do.
    pub back: ChangeSet,
    /// None of it was too much to be read.
    pub whole: bool,
}

impl SavedTrees {
    /// The trees that runs left in `cache_dir`, also while one is at work. `path` is PATH, to find git.
    ///
    /// # Errors
    /// No git, no workspace, no saved trees.
    pub fn open(cache_dir: &Path, workspace: &Path, path: &OsStr) -> Result<SavedTrees> {
        let workspace = workspace.canonicalize().context("cannot find the workspace: name an existing folder")?;
        let repository = Repository::of(&workspace);
        let saved = SavedTrees::at(Tool::unlocked(), cache_dir, &workspace, repository.as_ref(), path)?;
        if !saved.folder.join("HEAD").is_file() {
            bail!("there are no saved trees in {}: they were removed", saved.folder.display());
        }
        Ok(saved)
    }

    /// `search` is PATH: relative folders of it and ones in the workspace are passed over, an
    /// agent may write there.
    pub(super) fn at(
        tool: Tool,
        cache: &Path,
        workspace: &Path,
        repository: Option<&Repository>,
        search: &OsStr,
    ) -> Result<SavedTrees> {
        let (name, digits) = if repository.is_some_and(Repository::sha256) { ("git-sha256", 64) } else { ("git", 40) };
        let folder = std::path::absolute(cache)?.join(name);
        let workspace_hash = &sha256(workspace.as_os_str().as_bytes())[..16];
        let index = folder.join(format!("index-{workspace_hash}"));
        let below = repository.and_then(|repository| TreePath::below(&repository.top, workspace));
        let below = below.filter(|below| !below.as_bytes().is_empty());
        Ok(SavedTrees {
            tool,
            program: program(search, workspace)?,
            env: environment(&folder, workspace, repository, search, digits),
            objects: Objects::within(&folder, digits),
            folder,
            workspace: workspace.to_owned(),
            at_hand: RefCell::default(),
            below: below.map(|below| format!("{}/", text(below.as_bytes()))).unwrap_or_default(),
            index,
        })
    }

    pub(super) fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        self.run_with(args, None, input)
    }

    /// With an index.
    pub(super) fn run_with(&self, args: &[&str], index: Option<&Path>, input: &[u8]) -> Result<Vec<u8>> {
        self.run_at(args, index, None, input)
    }

    /// With a variable of its own, stronger than those of all.
    pub(super) fn run_at(
        &self,
        args: &[&str],
        index: Option<&Path>,
        variable: Option<(&str, &OsStr)>,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let mut env = self.env.clone();
        env.extend(index.map(|index| ("GIT_INDEX_FILE".into(), index.into())));
        env.extend(variable.map(|(name, value)| (name.into(), value.into())));
        self.tool.run(&self.program, &args, &env, &self.workspace, input)
    }

    /// Which of these objects are nowhere.
    pub(super) fn missing(&self, ids: impl Iterator<Item = Id>) -> Result<HashSet<Id>> {
        let asked: String = ids.map(|id| format!("{id}\n")).collect();
        if asked.is_empty() {
            return Ok(HashSet::new());
        }
        let told = text(&self.run(&["cat-file", "--buffer", "--batch-check=%(objectname)"], asked.as_bytes())?);
        Ok(told.lines().filter_map(|line| line.strip_suffix(" missing")).filter_map(Id::parse).collect())
    }

    /// Whether one of these trees is nowhere any more.
    pub fn lack(&self, trees: &[&TreeId]) -> Result<bool> {
        let ids = trees.iter().map(|tree| tree.id()).collect::<Result<Vec<Id>>>()?;
        Ok(!self.missing(ids.into_iter().filter(|id| !self.objects.holds(*id)))?.is_empty())
    }

    /// What a file or symlink of the workspace holds. What took its place since it was found is an error, and not waited for.
    pub(super) fn contents(&self, found: &Found) -> Result<Vec<u8>> {
        let place = self.workspace.join(found.path.as_path());
        if found.mode == LINK {
            return Ok(fs::read_link(&place)?.into_os_string().into_vec());
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut file = File::from(open(&place, flags, Mode::empty())?);
        let data = file.metadata()?;
        if !data.is_file() || data.len() > LARGEST {
            bail!("it is no plain file any more, or a large one");
        }
        let mut bytes = Vec::with_capacity(data.len() as usize);
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// All that a tree holds.
    pub(super) fn files(&self, tree: &TreeId) -> Result<HashMap<TreePath, Blob>> {
        let nothing = TreeId::from(self.objects.name(Kind::Tree, b""));
        let files = self.changed(&nothing, tree)?.into_iter();
        Ok(files.filter_map(|file| Some((file.path, file.after?))).collect())
    }

    /// What differs between two trees, ordered by path. A mode alone is a difference, too.
    pub fn changed(&self, before: &TreeId, after: &TreeId) -> Result<Vec<Change>> {
        Ok(self.compare(&[(before, after)])?.pop().unwrap_or_default())
    }

    /// The change set of a card's attempts, oldest first.
    pub fn change_set(&self, attempts: &[Span]) -> Result<ChangeSet> {
        Ok(self.differences(attempts)?.change_set())
    }

    /// What one attempt did, and the changes as git sees them.
    pub(super) fn work(&self, before: &TreeId, after: &TreeId) -> Result<(Work, Vec<Change>)> {
        let attempt = vec![Span::from((before.clone(), after.clone()))];
        let differences = self.differences(&attempt)?;
        let whole = !differences.is_cut;
        let work = Work { changes: differences.change_set(), back: differences.undone(), whole };
        let told = (work, differences.attempts.concat());
        self.at_hand.replace(Some((attempt, differences)));
        Ok(told)
    }

    fn differences(&self, attempts: &[Span]) -> Result<Differences> {
        if let Some((_, differences)) = self.at_hand.take().filter(|(of, _)| of == attempts) {
            return Ok(differences);
        }
        let Some(last) = attempts.last() else { return Ok(Differences::default()) };
        let done = attempts.iter().map(|span| (&span.before, &span.after));
        // What became of an attempt's work by the end of the last one.
        let since = attempts.iter().map(|span| (&span.after, &last.after));
        let pairs: Vec<(&TreeId, &TreeId)> = done.chain(since).collect();
        let mut compared = self.compare(&pairs)?;
        let since = compared.split_off(attempts.len());
        let mut current = BTreeMap::new();
        for ((changes, since), span) in compared.iter_mut().zip(since).zip(attempts) {
            changes.retain(|change| !span.without.contains(&change.path));
            let mut since: HashMap<TreePath, Option<Blob>> =
                since.into_iter().map(|change| (change.path, change.after)).collect();
            for change in changes {
                let now = since.remove(&change.path).unwrap_or(change.after);
                current.insert(change.path.clone(), now);
            }
        }
        let sides = compared.iter().flatten().flat_map(|change| [&change.before, &change.after]);
        let ids: BTreeSet<Id> = sides.chain(current.values()).flatten().map(|blob| blob.id).collect();
        let small = self.small(&ids)?;
        let mut contents = self.read(&small)?;
        let is_cut = small.len() < ids.len();
        // What is not read is no text, and differs from all others.
        contents.extend(ids.difference(&small).map(|id| (*id, format!("\0{id}").into_bytes())));
        Ok(Differences { contents, attempts: compared, current, is_cut })
    }

    /// Those of the blobs that are held at once, the smallest first: what is generated is large.
    fn small(&self, blobs: &BTreeSet<Id>) -> Result<BTreeSet<Id>> {
        if blobs.len() <= FEW {
            return Ok(blobs.clone());
        }
        let ids: String = blobs.iter().map(|id| format!("{id}\n")).collect();
        let told = text(&self.run(&["cat-file", "--batch-check=%(objectname) %(objectsize)"], ids.as_bytes())?);
        let size = |line: &str| -> Option<(u64, Id)> {
            let (id, size) = line.split_once(' ')?;
            // What is missing is told by who reads it.
            Some((size.parse().unwrap_or_default(), Id::parse(id)?))
        };
        let mut sizes: Vec<(u64, Id)> = told.lines().filter_map(size).collect();
        sizes.sort_unstable();
        let mut total = 0;
        let fits = |(size, _): &(u64, Id)| {
            total += size;
            total <= LARGEST_READ
        };
        Ok(sizes.into_iter().take_while(fits).map(|(_, id)| id).collect())
    }

    /// A patch from one tree to the other, as `git apply` takes it in the workspace: below the top of a repository that
    /// wants names from there. Its length is whatever the change needs.
    pub fn patch(&self, before: &TreeId, after: &TreeId) -> Result<Vec<u8>> {
        let [old, new] = ["src", "dst"].map(|side| format!("--{side}-prefix={}/{}", &side[..1], self.below));
        let options = ["diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames", &old, &new];
        let plain = ["--no-ext-diff", "--no-textconv", "--no-color", before.as_str(), after.as_str()];
        self.saved(self.run(&[&options[..], &plain].concat(), b""))
    }

    /// The command that applies a patch to the byte: under the private configuration, which no attribute of the workspace
    /// changes.
    pub fn apply_command(&self, patch: &Path) -> String {
        let top = self.workspace.ancestors().nth(self.below.matches('/').count()).unwrap_or(&self.workspace);
        let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
        let (top, folder, patch) = (quoted(top), quoted(&self.folder), quoted(patch));
        format!("git -C {top} --git-dir={folder} --work-tree=. apply --whitespace=nowarn {patch}")
    }

    /// What differs between the trees of each pair, ordered by path.
    fn compare(&self, pairs: &[(&TreeId, &TreeId)]) -> Result<Vec<Vec<Change>>> {
        let compared =
            pairs.iter().map(|(before, after)| listing::compare(before.id()?, after.id()?, |tree| self.listing(tree)));
        self.saved(compared.collect())
    }

    fn listing(&self, tree: Id) -> Result<Vec<Entry>> {
        let bytes = match self.objects.read(Kind::Tree, tree) {
            Some(bytes) => bytes,
            None => self.run(&["cat-file", "tree", &tree.to_string()], b"")?,
        };
        if name(Kind::Tree, &bytes, tree.digits()) != tree {
            bail!(Forged(tree));
        }
        listing::parse(&bytes, tree.digits()).with_context(|| format!("{tree} is no tree"))
    }

    /// The bytes of these blobs, which are [`FEW`] or small.
    pub(super) fn read(&self, blobs: &BTreeSet<Id>) -> Result<HashMap<Id, Vec<u8>>> {
        if blobs.is_empty() {
            return Ok(HashMap::new());
        }
        let mut contents = HashMap::new();
        let mut elsewhere = String::new();
        for id in blobs {
            match self.objects.read(Kind::Blob, *id) {
                Some(bytes) => drop(contents.insert(*id, bytes)),
                None => elsewhere.extend([&id.to_string(), "\n"]),
            }
        }
        if !elsewhere.is_empty() {
            let output = self.run(&["cat-file", "--batch"], elsewhere.as_bytes())?;
            contents.extend(self.saved(batch(&output).context("git cat-file"))?);
        }
        // An object's file name is believed by git; whoever can write there could have it hold anything.
        match contents.iter().find(|(id, bytes)| **id != name(Kind::Blob, bytes, id.digits())) {
            Some((id, _)) => bail!(Forged(*id)),
            None => Ok(contents),
        }
    }

    /// The same, without those that are nowhere any more or forged.
    pub(super) fn found(&self, blobs: &BTreeSet<Id>) -> HashMap<Id, Vec<u8>> {
        let alone = |id: &Id| self.read(&[*id].into()).ok();
        self.read(blobs).unwrap_or_else(|_| blobs.iter().filter_map(alone).flatten().collect())
    }

    pub(super) fn saved<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| Lost(self.folder.clone()))
    }
}

/// What attempts changed, oldest first, with all contents.
#[derive(Debug, Default)]
struct Differences {
    attempts: Vec<Vec<Change>>,
    /// What the changed files are after the last attempt.
    current: BTreeMap<TreePath, Option<Blob>>,
    contents: HashMap<Id, Vec<u8>>,
    /// The largest are not read.
    is_cut: bool,
}

impl Differences {
    fn change_set(&self) -> ChangeSet {
        self.fold(&self.attempts, &self.current)
    }

    /// Of undoing it all, the newest first.
    fn undone(&self) -> ChangeSet {
        let undo =
            |Change { path, before, after }: &Change| Change { path: path.clone(), before: *after, after: *before };
        let attempts: Vec<Vec<Change>> =
            self.attempts.iter().rev().map(|changes| changes.iter().map(undo).collect()).collect();
        let left = attempts.iter().flatten().map(|change| (change.path.clone(), change.after));
        self.fold(&attempts, &left.collect())
    }

    fn fold(&self, attempts: &[Vec<Change>], current: &BTreeMap<TreePath, Option<Blob>>) -> ChangeSet {
        let version = |blob: &Option<Blob>| {
            let blob = blob.as_ref()?;
            Some(Version { mode: blob.mode, bytes: self.contents.get(&blob.id)? })
        };
        let change = |Change { path, before, after }: &Change| FileChange {
            path: path.clone(),
            before: version(before),
            after: version(after),
        };
        let attempts: Vec<Vec<FileChange<'_>>> =
            attempts.iter().map(|changes| changes.iter().map(change).collect()).collect();
        let current = current.iter().filter_map(|(path, blob)| Some((path.clone(), version(blob)?))).collect();
        ChangeSet::fold(&attempts, &current)
    }
}

/// A saved file that does not hold what its name says, in the user's repository or in the private one.
#[derive(Debug)]
pub struct Forged(Id);

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git's object {}, which does not hold what its name says", self.0)
    }
}

impl std::error::Error for Forged {}

/// What was kept in this folder, or in the user's repository, is not there any more.
#[derive(Debug)]
pub struct Lost(PathBuf);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.parent().unwrap_or(&self.0).display();
        write!(
            f,
            "cannot read the saved trees in {}: they or objects of the user's repository were removed or damaged; \
             put them back, or remove all of {all}: then each card begins anew where it stands",
            self.0.display(),
        )
    }
}

/// A file's contents that are nowhere any more: with what the user's repository lent.
#[derive(Debug)]
pub struct Gone(Id);

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git's object {} is gone", self.0)
    }
}

impl std::error::Error for Gone {}

/// Splits the answers of `cat-file --batch`: `id SP type SP size LF bytes LF`.
fn batch(mut output: &[u8]) -> Result<HashMap<Id, Vec<u8>>> {
    let mut blobs = HashMap::new();
    while let Some(end) = output.iter().position(|byte| *byte == b'\n') {
        let header = text(&output[..end]);
        let mut words = header.split(' ');
        let (id, size) = (words.next().unwrap_or_default(), words.nth(1).and_then(|size| size.parse::<usize>().ok()));
        let bytes = size.and_then(|size| output.get(end + 1..end + 1 + size));
        let Some(id) = Id::parse(id) else { bail!("{header}") };
        let Some(bytes) = bytes else { bail!(Gone(id)) };
        blobs.insert(id, bytes.to_vec());
        output = output.get(end + 2 + bytes.len()..).unwrap_or_default();
    }
    Ok(blobs)
}

fn environment(
    folder: &Path,
    workspace: &Path,
    repository: Option<&Repository>,
    search: &OsStr,
    digits: usize,
) -> Vec<(OsString, OsString)> {
    let mut env: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), search.into()),
        ("LC_ALL".into(), "C".into()),
        ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
        ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ("GIT_ATTR_NOSYSTEM".into(), "1".into()),
        ("GIT_TERMINAL_PROMPT".into(), "0".into()),
        ("GIT_OPTIONAL_LOCKS".into(), "0".into()),
        ("GIT_NO_REPLACE_OBJECTS".into(), "1".into()),
        ("GIT_DIR".into(), folder.into()),
        ("GIT_WORK_TREE".into(), workspace.into()),
        // Where this git knows how (2.41), attributes then come from no work tree at all.
        ("GIT_ATTR_SOURCE".into(), name(Kind::Tree, b"", digits).to_string().into()),
    ];
    if let Some(repository) = repository {
        let objects = repository.common.join("objects");
        env.push((LENDERS.into(), quoted(objects.as_os_str())));
    }
    env
}

/// The variable is a list joined by colons; an item in quotes may hold them.
fn quoted(path: &OsStr) -> OsString {
    let mut quoted = vec![b'"'];
    for byte in path.as_bytes() {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    OsString::from_vec(quoted)
}

fn program(search: &OsStr, workspace: &Path) -> Result<String> {
    let folders = std::env::split_paths(search).filter(|folder| folder.is_absolute() && !folder.starts_with(workspace));
    let found = folders.map(|folder| folder.join("git")).find(|program| is_executable(program) == Some(true));
    let found = found.context("git is not on PATH: it is needed to see what codex changes; install it")?;
    found.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", found.display()))
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
