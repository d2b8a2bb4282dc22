//! The change set: which files a card's attempts changed, and which of their lines the attempts added. Pure.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::TreePath;
use crate::storage::sha256;

/// A file at one time: its git mode (`0o100644`, `0o100755`, `0o120000` for a symlink, whose bytes are its target).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version<'b> {
    pub mode: u32,
    pub bytes: &'b [u8],
}

/// What one attempt did to one file; None where there was no such file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange<'b> {
    pub path: TreePath,
    pub before: Option<Version<'b>>,
    pub after: Option<Version<'b>>,
}

/// What a card's attempts changed, over all of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Ordered by path.
    pub files: Vec<ChangedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: TreePath,
    /// Of the bytes as they are; None where the file was deleted.
    pub sha256: Option<String>,
    pub content: Content,
    /// It stood there before the card's first attempt at it.
    pub existed: bool,
    /// It was not text when an attempt at it began: what that one added to it can't be told.
    pub obscured: bool,
    /// It is as the last attempt that changed it left it: nobody else changed it since.
    pub as_left: bool,
    /// The 1-based lines of the current text that the card's attempts added.
    pub added: BTreeSet<usize>,
}

/// What a changed file holds after the card's last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 without NUL; a byte order mark is left out and lines end in `\n`.
    Text(String),
    /// Never evidence of work. `excludes` still looks through what can be read of it, or one NUL would hide a file.
    Binary {
        visible: String,
    },
    Deleted,
}

impl ChangeSet {
    /// What the changed files hold, where that is text.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter_map(|file| match &file.content {
            Content::Text(text) => Some(text.as_str()),
            Content::Binary { .. } | Content::Deleted => None,
        })
    }

    /// Folds a card's attempts, oldest first. `current` is what the changed files are after the last one; a path that
    /// it lacks is deleted.
    ///
    /// A trimmed line's count over all files that an attempt changed says how many of it the attempt added or took away.
    /// The sums over the attempts decide: a current line counts where its own file and all files together gained it. So
    /// moving and re-indenting add nothing, and what others wrote between the attempts is not this card's. Of lines that are
    /// alike, those count that did not stand in the file before the first attempt: one `}` more makes no other `}` new.
    pub fn fold(attempts: &[Vec<FileChange<'_>>], current: &BTreeMap<TreePath, Version<'_>>) -> ChangeSet {
        let mut first: BTreeMap<&TreePath, Option<Version<'_>>> = BTreeMap::new();
        let mut last: HashMap<&TreePath, Option<Version<'_>>> = HashMap::new();
        let mut obscured: BTreeSet<&TreePath> = BTreeSet::new();
        let mut total = Gains::new();
        let mut own: HashMap<&TreePath, Gains<'_>> = HashMap::new();
        for change in attempts.iter().flatten() {
            first.entry(&change.path).or_insert(change.before);
            last.insert(&change.path, change.after);
            if change.before.is_some_and(|before| text(before.bytes).is_none()) {
                obscured.insert(&change.path);
            }
            for (line, gain) in gains(change) {
                *total.entry(line).or_default() += gain;
                *own.entry(&change.path).or_default().entry(line).or_default() += gain;
            }
        }
        let changed = first.into_iter().filter(|(path, before)| current.get(path) != before.as_ref());
        let files = changed.map(|(path, before)| {
            let gained = |line: &str| {
                let gained = |gains: &Gains<'_>| gains.get(line).is_some_and(|gain| *gain > 0);
                gained(&total) && own.get(path).is_some_and(gained)
            };
            let now = current.get(path);
            let before_text = before.and_then(|version| text(version.bytes));
            let file = ChangedFile::new(path, before_text, now.map(|version| version.bytes), gained);
            ChangedFile {
                existed: before.is_some(),
                obscured: obscured.contains(path),
                as_left: last.get(path).copied().flatten().as_ref() == now,
                ..file
            }
        });
        ChangeSet { files: files.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl ChangedFile {
    fn new(path: &TreePath, before: Option<&str>, bytes: Option<&[u8]>, gained: impl Fn(&str) -> bool) -> ChangedFile {
        let content = Content::new(bytes);
        let added = match &content {
            Content::Text(text) => added(before.unwrap_or_default(), text, gained),
            Content::Binary { .. } | Content::Deleted => BTreeSet::new(),
        };
        let sha256 = bytes.map(sha256);
        ChangedFile { path: path.clone(), sha256, content, existed: false, obscured: false, as_left: false, added }
    }
}

impl Content {
    fn new(bytes: Option<&[u8]>) -> Content {
        match bytes.map(|bytes| (text(bytes), bytes)) {
            Some((Some(text), _)) => Content::Text(text.replace("\r\n", "\n")),
            Some((None, bytes)) => Content::Binary { visible: String::from_utf8_lossy(bytes).replace('\0', "") },
            None => Content::Deleted,
        }
    }
}

/// So many lines of both versions, but for those that they begin and end with alike, are compared in their order.
const COMPARED: usize = 5_000;

/// The 1-based lines of `now` that were gained, without those that stood in `before`. Where all that are alike stood there,
/// somebody took away another one: all of them count.
fn added(before: &str, now: &str, gained: impl Fn(&str) -> bool) -> BTreeSet<usize> {
    let [old, new] = [before, now].map(|text| text.split('\n').map(str::trim).collect::<Vec<_>>());
    let gained: BTreeSet<usize> = (0..new.len()).filter(|&at| gained(new[at])).collect();
    let known: HashSet<&str> = old.iter().copied().collect();
    let mut stood = BTreeSet::new();
    if gained.iter().any(|&at| known.contains(new[at])) {
        let alike = |(one, other): &(&&str, &&str)| one == other;
        let head = old.iter().zip(&new).take_while(alike).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(alike).count();
        let (old, middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
        stood.extend((0..head).chain(new.len() - tail..new.len()));
        if old.len() + middle.len() <= COMPARED {
            let same = capture_diff_slices(Algorithm::Myers, old, middle).into_iter();
            let same = same.filter(|part| part.tag() == DiffTag::Equal).flat_map(|part| part.new_range());
            stood.extend(same.map(|at| head + at));
        }
    }
    let fresh: HashSet<&str> = gained.difference(&stood).map(|&at| new[at]).collect();
    gained.into_iter().filter(|at| !stood.contains(at) || !fresh.contains(new[*at])).map(|at| at + 1).collect()
}

/// How many of each trimmed line.
type Gains<'b> = HashMap<&'b str, i64>;

/// A binary file adds nothing, and neither does what became of one: its lines may have been there, unreadable.
fn gains<'b>(change: &FileChange<'b>) -> Gains<'b> {
    let mut gains = Gains::new();
    let before = change.before.map(|version| text(version.bytes));
    for line in lines(before.flatten()) {
        *gains.entry(line).or_default() -= 1;
    }
    if before != Some(None) {
        for line in lines(change.after.and_then(|version| text(version.bytes))) {
            *gains.entry(line).or_default() += 1;
        }
    }
    gains
}

fn lines(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty())
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}
