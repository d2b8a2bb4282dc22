//! Test strings: what a line of the tests file says, and whether the evidence bears it out. Pure.

pub mod judge;
mod names;
pub mod parse;
pub mod shell;

use std::borrow::Cow;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use judge::{Judged, judge};
pub use names::Names;
pub use parse::{command, parse};

use crate::evidence::TreePath;

/// `@name` of the line, else `t-` and ten hex digits of the line's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestId(pub String);

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The tag of what every card is judged by.
const ALWAYS: &str = "always";

/// One line of the tests file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestString {
    pub id: TestId,
    /// 1-based.
    pub line: usize,
    /// The line as written, without indentation and CR.
    pub text: String,
    /// What similarity reads: the description, else the payload.
    pub words: String,
    /// Without `#`, in the order in which they are written.
    pub tags: Vec<String>,
    pub check: Check,
}

impl TestString {
    /// `#always`: selected for every card, and its failure fails the card.
    pub fn always(&self) -> bool {
        self.tagged(ALWAYS)
    }

    /// `#guard`.
    pub fn guard(&self) -> bool {
        self.tagged("guard")
    }

    /// What a shell test runs.
    pub fn command(&self) -> Option<&str> {
        parse::command(&self.text)
    }

    fn tagged(&self, name: &str) -> bool {
        self.tags.iter().any(|tag| tag == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub kind: Kind,
    /// None: what the column says, else message and changes.
    pub scope: Option<Scope>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Includes(String),
    Excludes(String),
    Regex(Pattern),
    Shell(String),
}

impl Kind {
    /// As written before the colon.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Includes(_) => "includes",
            Kind::Excludes(_) => "excludes",
            Kind::Regex(_) => "regex",
            Kind::Shell(_) => "shell",
        }
    }

    pub fn is_shell(&self) -> bool {
        matches!(self, Kind::Shell(_))
    }

    /// Whether a pass shows that work was done. What is absent proves nothing: a gate needs one pass that does.
    pub fn proves(&self) -> bool {
        match self {
            Kind::Includes(_) | Kind::Regex(_) | Kind::Shell(_) => true,
            Kind::Excludes(_) => false,
        }
    }
}

/// Where a check looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Message,
    Changes,
    Files(FileGlob),
}

/// What a column's `evidence:` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Codex's final message.
    Message,
    /// The lines that the card's attempts added.
    Changes,
}

/// A glob of changed files, from the workspace down. As in a `.gitignore`, `*` stays within a folder, and a glob without
/// a slash means a file of that name in any folder.
#[derive(Debug, Clone)]
pub struct FileGlob {
    source: String,
    matcher: GlobMatcher,
}

impl FileGlob {
    /// The error is the reason in one line.
    pub fn new(source: &str) -> Result<FileGlob, String> {
        let glob = GlobBuilder::new(&anchored(source)).literal_separator(true).build();
        let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        Ok(FileGlob { source: source.to_owned(), matcher })
    }

    /// What is in a folder of this name, however deep.
    pub fn inside(source: &str) -> Result<FileGlob, String> {
        FileGlob::new(&format!("{}/**", anchored(source)))
    }

    /// What to write instead of a glob that can match no path of a file.
    pub fn impossible(source: &str) -> Option<&'static str> {
        let part = |wrong: fn(&str) -> bool| source.split('/').any(wrong);
        let escapes = |rest: &str| rest.starts_with(['[', ']', '{', '}']);
        if source.starts_with('/') || part(|part| part == ".." || part == ".") {
            Some("globs start at the workspace: `src/**/*.rs`")
        } else if part(str::is_empty) {
            Some("it is of files: all that is in `src` is `src/**`")
        } else if source.trim() != source {
            Some("write it without the spaces around it")
        } else if source.split('\\').skip(1).any(|rest| !escapes(rest)) {
            Some("folders are parted by `/`: `src/**/*.rs`")
        } else {
            None
        }
    }

    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Its last part is no pattern.
    pub fn names_a_file(&self) -> bool {
        !self.source.rsplit('/').next().unwrap_or_default().contains(['*', '?', '[', '{'])
    }

    pub fn matches(&self, path: &TreePath) -> bool {
        self.matcher.is_match(path.as_path())
    }
}

fn anchored(source: &str) -> Cow<'_, str> {
    if source.contains('/') { source.into() } else { format!("**/{source}").into() }
}

impl PartialEq for FileGlob {
    fn eq(&self, other: &FileGlob) -> bool {
        self.source == other.source
    }
}

impl Eq for FileGlob {}

/// `/pattern/flags`. Kept as text: a large tests file of compiled patterns would cost hundreds of megabytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    source: String,
    flags: String,
}

impl Pattern {
    /// Bytes that a compiled pattern may take: `(\w{999}){999}` is an error, not an outage.
    const LIMIT: usize = 4 << 20;

    /// `flags` are any of `imsxU`, as the regex crate knows them.
    pub fn new(source: &str, flags: &str) -> Result<Pattern, regex::Error> {
        let pattern = Pattern { source: source.to_owned(), flags: flags.to_owned() };
        pattern.compile()?;
        Ok(pattern)
    }

    /// Its text as similarity reads it: without delimiters, flags and escapes such as `\b` and `\s`.
    pub fn words(&self) -> String {
        let mut words = String::with_capacity(self.source.len());
        let mut chars = self.source.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => words.push(chars.next().filter(|escaped| !escaped.is_alphanumeric()).unwrap_or(' ')),
                _ => words.push(char),
            }
        }
        words
    }

    pub fn compile(&self) -> Result<Regex, regex::Error> {
        let flag = |flag| self.flags.contains(flag);
        RegexBuilder::new(&self.source)
            .case_insensitive(flag('i'))
            .multi_line(flag('m'))
            .dot_matches_new_line(flag('s'))
            .ignore_whitespace(flag('x'))
            .swap_greed(flag('U'))
            .size_limit(Self::LIMIT)
            .build()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.source, self.flags)
    }
}
