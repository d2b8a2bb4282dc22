//! Git under a private index and object folder: raw bytes in, trees and blobs out.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::TreePath;
use super::repository::Repository;
use crate::process::Spawner;
use crate::storage::sha256;

/// The name of a saved tree: hex of 40 or 64 digits, so that one read from a file can't be taken for an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// Bytes of file contents that are read at once.
const LARGEST_READ: u64 = 512 << 20;

#[derive(Debug)]
pub(super) struct Git {
    spawner: Spawner,
    program: String,
    folder: PathBuf,
    workspace: PathBuf,
    index: PathBuf,
    sha_256: bool,
    env: Vec<(OsString, OsString)>,
}

impl Git {
    /// Makes the private git folder below `cache`. `search` is PATH: relative folders of it and ones in the workspace
    /// are passed over, an agent may write there.
    pub fn open(
        spawner: &Spawner,
        cache: &Path,
        workspace: &Path,
        repository: Option<&Repository>,
        search: &OsStr,
    ) -> Result<Git> {
        let sha_256 = repository.is_some_and(Repository::sha256);
        let folder = std::path::absolute(cache)?.join(if sha_256 { "git-sha256" } else { "git" });
        let workspace_hash = &sha256(workspace.as_os_str().as_bytes())[..16];
        let index = folder.join(format!("index-{workspace_hash}"));
        let mut git = Git {
            spawner: spawner.clone(),
            program: program(search, workspace)?,
            env: environment(&folder, workspace, &index, repository, search),
            folder,
            workspace: workspace.to_owned(),
            index,
            sha_256,
        };
        git.lay_out()?;
        // Where this git knows how (2.41), attributes then come from no work tree at all.
        let empty = git.run(&["hash-object", "-t", "tree", "/dev/null"], b"")?;
        git.env.push(("GIT_ATTR_SOURCE".into(), OsString::from_vec(empty.trim_ascii().to_vec())));
        Ok(git)
    }

    /// What `git init` would write, less templates, hooks and probes; written each time, so that it is whole and nothing else.
    fn lay_out(&self) -> Result<()> {
        let writer = self.spawner.writer();
        let known = ["objects", "refs", "info", "config", "HEAD", "attributes"];
        for folder in [self.folder.clone(), self.folder.join("info")] {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !known.iter().any(|known| name == *known) && !name.as_bytes().starts_with(b"index-") {
                    match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                        true => writer.remove_folder(&entry.path())?,
                        false => writer.remove(&entry.path())?,
                    }
                }
            }
        }
        for folder in ["objects", "refs", "info"] {
            writer.folder(&self.folder.join(folder))?;
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
            let path = self.folder.join(name);
            if !fs::read(&path).is_ok_and(|bytes| bytes == text.as_bytes()) {
                writer.replace(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        self.run_with(args, &self.env, input)
    }

    fn run_with(&self, args: &[&str], env: &[(OsString, OsString)], input: &[u8]) -> Result<Vec<u8>> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        self.spawner.tool(&self.program, &args, env, &self.workspace, input)
    }

    /// What the user's index tracks, in paths from `repository`'s top. Read under the private configuration.
    pub fn tracked(&self, repository: &Repository) -> Result<Vec<TreePath>> {
        let mut env = self.env.clone();
        env.retain(|(name, _)| name != "GIT_INDEX_FILE");
        env.push(("GIT_INDEX_FILE".into(), repository.folder.join("index").into()));
        let listed = self.run_with(&["ls-files", "-z"], &env, b"")?;
        Ok(names(&listed).collect())
    }

    /// Writes the tree of exactly these files. The index remembers what it has seen, so that only changed files are read.
    pub fn write(&self, files: &[TreePath]) -> Result<TreeId> {
        let mut lock = self.index.clone().into_os_string();
        lock.push(".lock");
        // Left by a git that was killed: the run lock says that none is at work now.
        self.spawner.writer().remove(Path::new(&lock))?;
        // An agent could have written filters there.
        self.lay_out()?;
        let kept: BTreeSet<&TreePath> = files.iter().collect();
        let indexed = self.run(&["ls-files", "-z"], b"")?;
        let gone: Vec<TreePath> = names(&indexed).filter(|path| !kept.contains(path)).collect();
        if !gone.is_empty() {
            self.run(&["update-index", "-z", "--force-remove", "--stdin"], &list(&gone))?;
        }
        self.run(&["update-index", "-z", "--add", "--replace", "--remove", "--stdin"], &list(files))?;
        let id = self.run(&["write-tree"], b"")?;
        TreeId::try_from(text(id.trim_ascii())).map_err(|reason| anyhow!("git write-tree: {reason}"))
    }

    pub fn index(&self) -> &Path {
        &self.index
    }

    /// Lets go of what the index remembers: the next tree is made from every file anew.
    pub fn forget(&self) -> Result<()> {
        self.spawner.writer().remove(&self.index)
    }

    /// Lines of `git diff-tree --raw`, as they come: description and path.
    pub fn compare(&self, before: &TreeId, after: &TreeId) -> Result<Vec<(String, TreePath)>> {
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
    pub fn list(&self, tree: &TreeId) -> Result<HashMap<TreePath, (u32, String)>> {
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
    pub fn read(&self, blobs: &BTreeSet<String>) -> Result<HashMap<String, Vec<u8>>> {
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

    /// A binary patch, as `git apply` takes it.
    pub fn patch(&self, before: &TreeId, after: &TreeId) -> Result<Vec<u8>> {
        let options = ["diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames"];
        let plain = ["--no-ext-diff", "--no-textconv", "--no-color", before.as_str(), after.as_str()];
        self.saved(self.run(&[&options[..], &plain].concat(), b""))
    }

    fn saved<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| {
            format!(
                "cannot read the saved trees in {}: they or objects of the user's repository were removed; run the card again",
                self.folder.display()
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
fn name(bytes: &[u8], digits: usize) -> String {
    let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    match digits {
        40 => Sha1::digest(&blob).iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => sha256(&blob),
    }
}

fn environment(
    folder: &Path,
    workspace: &Path,
    index: &Path,
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
        ("GIT_INDEX_FILE".into(), index.into()),
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

fn names(listed: &[u8]) -> impl Iterator<Item = TreePath> {
    listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(TreePath::new)
}

fn list(paths: &[TreePath]) -> Vec<u8> {
    paths.iter().flat_map(|path| path.as_bytes().iter().copied().chain([0])).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
