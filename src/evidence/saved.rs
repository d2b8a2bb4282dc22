//! Saved trees, read back: what differs between them, and a card's change set. Whoever holds one can take no tree and writes
//! nothing, which is why it needs no run lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha1::{Digest, Sha1};

use super::git::TreeId;
use super::repository::Repository;
use super::{ChangeSet, FileChange, TreePath, Version};
use crate::process::Tool;
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
    pub(super) index: PathBuf,
    env: Vec<(OsString, OsString)>,
}

/// A file in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Hex.
    pub id: String,
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
#[derive(Debug, Clone)]
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

/// Bytes of file contents that are read at once.
const LARGEST_READ: u64 = 512 << 20;

const GITLINK: u32 = 0o160_000;

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
        saved.ready()
    }

    /// Not [`SavedTrees::ready`] yet. `search` is PATH: relative folders of it and ones in the workspace are passed over, an
    /// agent may write there.
    pub(super) fn at(
        tool: Tool,
        cache: &Path,
        workspace: &Path,
        repository: Option<&Repository>,
        search: &OsStr,
    ) -> Result<SavedTrees> {
        let name = if repository.is_some_and(Repository::sha256) { "git-sha256" } else { "git" };
        let folder = std::path::absolute(cache)?.join(name);
        let workspace_hash = &sha256(workspace.as_os_str().as_bytes())[..16];
        let index = folder.join(format!("index-{workspace_hash}"));
        let below = repository.and_then(|repository| TreePath::below(&repository.top, workspace));
        let below = below.filter(|below| !below.as_bytes().is_empty());
        Ok(SavedTrees {
            tool,
            program: program(search, workspace)?,
            env: environment(&folder, workspace, repository, search),
            folder,
            workspace: workspace.to_owned(),
            below: below.map(|below| format!("{}/", text(below.as_bytes()))).unwrap_or_default(),
            index,
        })
    }

    /// Where this git knows how (2.41), attributes then come from no work tree at all.
    pub(super) fn ready(mut self) -> Result<SavedTrees> {
        let empty = self.run(&["hash-object", "-t", "tree", "/dev/null"], b"")?;
        self.env.push(("GIT_ATTR_SOURCE".into(), OsString::from_vec(empty.trim_ascii().to_vec())));
        Ok(self)
    }

    pub(super) fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        self.run_with(args, None, input)
    }

    /// With another index than the private one.
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
        env.push(("GIT_INDEX_FILE".into(), index.unwrap_or(&self.index).into()));
        env.extend(variable.map(|(name, value)| (name.into(), value.into())));
        self.tool.run(&self.program, &args, &env, &self.workspace, input)
    }

    /// What differs between two trees, ordered by path. A mode alone is a difference, too.
    pub fn changed(&self, before: &TreeId, after: &TreeId) -> Result<Vec<Change>> {
        let lines = self.compare(before, after)?;
        let changes = lines.into_iter().filter_map(|(line, path)| {
            let mut words = line.strip_prefix(':')?.split(' ');
            let (mode, new_mode, id, new_id) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some(Change { path, before: blob(mode, id), after: blob(new_mode, new_id) })
        });
        Ok(changes.filter(|change| change.before.is_some() || change.after.is_some()).collect())
    }

    /// The change set of a card's attempts, oldest first.
    pub fn change_set(&self, attempts: &[Span]) -> Result<ChangeSet> {
        let counted = |Span { before, after, without }: &Span| -> Result<Vec<Change>> {
            let mut changes = self.changed(before, after)?;
            changes.retain(|change| !without.contains(&change.path));
            Ok(changes)
        };
        let changes: Vec<Vec<Change>> = attempts.iter().map(counted).collect::<Result<_>>()?;
        let mut current = match attempts.last() {
            Some(Span { after, .. }) => self.list(after)?,
            None => HashMap::new(),
        };
        let touched: HashSet<&TreePath> = changes.iter().flatten().map(|change| &change.path).collect();
        current.retain(|path, (mode, _)| touched.contains(path) && *mode != GITLINK);
        let sides = changes.iter().flatten().flat_map(|change| [&change.before, &change.after]);
        let mut ids: BTreeSet<String> = sides.flatten().map(|blob| blob.id.clone()).collect();
        ids.extend(current.values().map(|(_, id)| id.clone()));
        let contents = self.read(&ids)?;
        let version = |mode: u32, id: &str| contents.get(id).map(|bytes| Version { mode, bytes });
        let of = |blob: &Option<Blob>| blob.as_ref().and_then(|blob| version(blob.mode, &blob.id));
        let change = |change: &Change| FileChange {
            path: change.path.clone(),
            before: of(&change.before),
            after: of(&change.after),
        };
        let attempts: Vec<Vec<FileChange<'_>>> = changes.iter().map(|all| all.iter().map(change).collect()).collect();
        let current: BTreeMap<TreePath, Version<'_>> =
            current.iter().filter_map(|(path, (mode, id))| Some((path.clone(), version(*mode, id)?))).collect();
        Ok(ChangeSet::fold(&attempts, &current))
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

    /// Lines of `git diff-tree --raw`, as they come: description and path.
    fn compare(&self, before: &TreeId, after: &TreeId) -> Result<Vec<(String, TreePath)>> {
        let args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before.as_str(), after.as_str()];
        let output = self.saved(self.run(&args, b""))?;
        let mut parts = output.split(|byte| *byte == 0);
        let mut lines = Vec::new();
        while let (Some(line), Some(path)) = (parts.next().filter(|line| !line.is_empty()), parts.next()) {
            lines.push((text(line), TreePath::new(path)));
        }
        Ok(lines)
    }

    /// Mode and blob of every file in a tree.
    fn list(&self, tree: &TreeId) -> Result<HashMap<TreePath, (u32, String)>> {
        let output = self.saved(self.run(&["ls-tree", "-r", "-z", "--full-tree", tree.as_str()], b""))?;
        let files = output.split(|byte| *byte == 0).filter_map(|line| {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let about = text(&line[..tab]);
            let mut about = about.split(' ');
            let mode = u32::from_str_radix(about.next()?, 8).ok()?;
            Some((TreePath::new(&line[tab + 1..]), (mode, about.nth(1)?.to_owned())))
        });
        Ok(files.collect())
    }

    /// The bytes of these blobs, at most [`LARGEST_READ`] in all.
    pub(super) fn read(&self, blobs: &BTreeSet<String>) -> Result<HashMap<String, Vec<u8>>> {
        if blobs.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: String = blobs.iter().map(|id| format!("{id}\n")).collect();
        let sizes = text(&self.run(&["cat-file", "--batch-check=%(objectsize)"], ids.as_bytes())?);
        let total: u64 = sizes.lines().filter_map(|size| size.parse::<u64>().ok()).sum();
        if total > LARGEST_READ {
            bail!(
                "the changed files hold {} MiB, more than the {} MiB that can be judged: let a .gitignore leave out what is generated",
                total >> 20,
                LARGEST_READ >> 20
            );
        }
        let output = self.run(&["cat-file", "--batch"], ids.as_bytes())?;
        let blobs = self.saved(batch(&output).context("git cat-file"))?;
        // Git believes an object's file name; whoever can write there could have it hold anything.
        match blobs.iter().find(|(id, bytes)| **id != name(bytes, id.len())) {
            Some((id, _)) => bail!(Forged(id.clone())),
            None => Ok(blobs),
        }
    }

    fn saved<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| {
            format!(
                "cannot read the saved trees in {}: they or objects of the user's repository were removed or damaged; \
                 put them back, or remove all of {}: then each card begins anew where it stands",
                self.folder.display(),
                self.folder.parent().unwrap_or(&self.folder).display()
            )
        })
    }
}

/// A saved file that does not hold what its name says, in the user's repository or in the private one.
#[derive(Debug)]
pub struct Forged(String);

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git's object {}, which does not hold what its name says", self.0)
    }
}

impl std::error::Error for Forged {}

/// Splits the answers of `cat-file --batch`: `id SP type SP size LF bytes LF`.
fn batch(mut output: &[u8]) -> Result<HashMap<String, Vec<u8>>> {
    let mut blobs = HashMap::new();
    while let Some(end) = output.iter().position(|byte| *byte == b'\n') {
        let header = text(&output[..end]);
        let mut words = header.split(' ');
        let (id, size) = (words.next().unwrap_or_default(), words.nth(1).and_then(|size| size.parse::<usize>().ok()));
        let bytes = size.and_then(|size| output.get(end + 1..end + 1 + size));
        let Some(bytes) = bytes else { bail!("{header}") };
        blobs.insert(id.to_owned(), bytes.to_vec());
        output = output.get(end + 2 + bytes.len()..).unwrap_or_default();
    }
    Ok(blobs)
}

/// What git calls a blob: the SHA-1 of 40 digits or the SHA-256 of 64.
pub(super) fn name(bytes: &[u8], digits: usize) -> String {
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    match digits {
        40 => Sha1::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => sha256(&blob),
    }
}

fn environment(
    folder: &Path,
    workspace: &Path,
    repository: Option<&Repository>,
    search: &OsStr,
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
    ];
    if let Some(repository) = repository {
        let objects = repository.common.join("objects");
        env.push(("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), quoted(objects.as_os_str())));
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
    let found = folders.map(|folder| folder.join("git")).find(|program| {
        fs::metadata(program).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    });
    let found = found.context("git is not on PATH: it is needed to see what codex changes; install it")?;
    found.to_str().map(str::to_owned).with_context(|| format!("{} is not UTF-8", found.display()))
}

fn blob(mode: &str, id: &str) -> Option<Blob> {
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode != 0 && *mode != GITLINK)?;
    Some(Blob { id: id.to_owned(), mode })
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
