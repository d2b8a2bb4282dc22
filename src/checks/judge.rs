//! Whether the evidence bears a test string out, and where. Pure.

mod likeness;
mod occurrence;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use super::{Kind, Scope, Source, TestString};
use crate::evidence::{ChangedFile, Content, Evidence, Skipped, TreePath};
use likeness::Likeness;
use occurrence::Needle;

/// What became of one test string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub passed: bool,
    /// Passed, and there was something to look at: nothing is kept out of files that nobody changed.
    pub counts: bool,
    /// Passed, and the pass shows that work was done: never so for `excludes`. A gate needs at least one.
    pub proves: bool,
    /// Where it was found: `src/cli.rs:41` or `message`. Of a failed `excludes`, where the unwanted text stands.
    pub place: Option<String>,
    pub looked_for: String,
    /// `message and 3 changed files`.
    pub looked_in: String,
    /// Of a failure, changed files that are no evidence, and why: `a.txt (not UTF-8 text)`
    pub unread: Option<String>,
    /// Of a failure, what came closest: a place that doesn't count and why, or the most similar line that does, however long.
    pub nearest: Option<String>,
}

/// Judges `includes`, `excludes` and `regex`; `default` is the column's `evidence`. None for `shell`, which is run.
pub fn judge(test: &TestString, evidence: &Evidence, default: &[Source]) -> Option<Judged> {
    let view = View::new(evidence, test.check.scope.as_ref(), default);
    let (looked_for, needle) = match &test.check.kind {
        Kind::Includes(text) => (text.clone(), Some(Needle::Text(text.clone()))),
        Kind::Excludes(text) => return Some(view.absent(text)),
        // It did compile when it was read.
        Kind::Regex(pattern) => (pattern.to_string(), pattern.compile().ok().map(Needle::Regex)),
        Kind::Shell(_) => return None,
    };
    Some(view.present(looked_for, needle.as_ref()))
}

/// The part of the evidence that is in a test's scope.
struct View<'e> {
    /// Codex's message and the trimmed lines of the prompt.
    message: Option<(String, HashSet<&'e str>)>,
    files: Vec<&'e ChangedFile>,
    left_out: Vec<&'e Skipped>,
    /// The change set as a whole, whatever the scope.
    changed: bool,
    looked_in: String,
}

impl<'e> View<'e> {
    fn new(evidence: &'e Evidence, scope: Option<&Scope>, default: &[Source]) -> Self {
        let in_message = match scope {
            None => default.contains(&Source::Message),
            Some(Scope::Message) => true,
            Some(Scope::Changes | Scope::Files(_)) => false,
        };
        let in_scope = |path: &TreePath| match scope {
            None => default.contains(&Source::Changes),
            Some(Scope::Message) => false,
            Some(Scope::Changes) => true,
            Some(Scope::Files(glob)) => glob.matches(path),
        };
        let in_files = scope.map_or(default.contains(&Source::Changes), |scope| *scope != Scope::Message);
        let files: Vec<_> = evidence.changes.files.iter().filter(|file| in_scope(&file.path)).collect();
        let left_out = evidence.left_out.iter().filter(|skipped| in_scope(&skipped.path)).collect();
        let mut looked_in = Vec::new();
        if in_message {
            looked_in.push("message".to_owned());
        }
        if in_files {
            let plural = if files.len() == 1 { "" } else { "s" };
            let matching = match scope {
                Some(Scope::Files(glob)) => format!(" matching `{}`", glob.as_str()),
                None | Some(Scope::Message | Scope::Changes) => String::new(),
            };
            looked_in.push(format!("{} changed file{plural}{matching}", files.len()));
        }
        let message = in_message.then(|| {
            let prompt = evidence.prompt.lines().map(str::trim).collect();
            (evidence.message.replace("\r\n", "\n"), prompt)
        });
        View { message, files, left_out, changed: !evidence.changes.is_empty(), looked_in: looked_in.join(" and ") }
    }

    /// `excludes`: any occurrence counts, on whatever line; a card that changed nothing has kept nothing out.
    fn absent(self, text: &str) -> Judged {
        let needle = Needle::Text(text.to_owned());
        let place = self.unwanted(&needle);
        let nearest =
            (!self.changed).then(|| "the card changed no file that counts, so nothing was kept out".to_owned());
        let passed = self.changed && place.is_none();
        Judged {
            passed,
            counts: passed && (self.message.is_some() || !self.files.is_empty()),
            proves: false,
            place,
            looked_for: text.to_owned(),
            looked_in: self.looked_in,
            unread: None,
            nearest,
        }
    }

    fn unwanted(&self, needle: &Needle) -> Option<String> {
        if let Some((message, _)) = &self.message
            && needle.first(message).is_some()
        {
            return Some("message".to_owned());
        }
        self.files.iter().find_map(|file| match &file.content {
            Content::Text(text) => needle.first(text).map(|line| place(file, line)),
            Content::Binary { visible } => needle.first(visible).map(|_| file.path.to_string()),
            Content::Deleted => None,
        })
    }

    fn present(self, looked_for: String, needle: Option<&Needle>) -> Judged {
        let mut miss = None;
        let place = needle.and_then(|needle| self.wanted(needle, &mut miss));
        let nearest = match place {
            None => miss.or_else(|| self.similar(&needle?.likeness())),
            Some(_) => None,
        };
        let passed = place.is_some();
        let unread = self.unread().filter(|_| !passed);
        Judged { passed, counts: passed, proves: passed, place, looked_for, looked_in: self.looked_in, unread, nearest }
    }

    fn unread(&self) -> Option<String> {
        let binary = self.files.iter().filter(|file| matches!(file.content, Content::Binary { .. }));
        let binary = binary.map(|file| format!("{} (not UTF-8 text)", file.path));
        let left_out = self.left_out.iter().map(|skipped| format!("{} ({})", skipped.path, skipped.reason));
        let mut all: Vec<String> = binary.chain(left_out).collect();
        if all.len() > NAMED {
            let more = all.split_off(NAMED).len();
            all.push(format!("{more} more"));
        }
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The first place that counts; `miss` gets the first that does not.
    fn wanted(&self, needle: &Needle, miss: &mut Option<String>) -> Option<String> {
        for file in &self.files {
            let Content::Text(text) = &file.content else { continue };
            let mut found = None;
            needle.each(text, |lines| {
                found = lines.clone().find(|line| file.added.contains(line));
                if found.is_none() && miss.is_none() {
                    let why = match file.obscured {
                        true => "the file was not UTF-8 text before: what the card added to it can't be told",
                        false => "the card did not add that line",
                    };
                    *miss = Some(format!("{} has it, but {why}", place(file, *lines.start())));
                }
                found.is_some()
            });
            if let Some(line) = found {
                return Some(place(file, line));
            }
        }
        self.said(needle, miss).then(|| "message".to_owned())
    }

    fn said(&self, needle: &Needle, miss: &mut Option<String>) -> bool {
        let Some((message, prompt)) = &self.message else { return false };
        let lines: Vec<&str> = message.split('\n').map(str::trim).collect();
        let mut said = false;
        needle.each(message, |touched| {
            let touched = lines.get(touched.start() - 1..*touched.end()).unwrap_or_default();
            said = touched.iter().all(|line| line.is_empty() || !prompt.contains(line));
            if !said && miss.is_none() {
                *miss = Some("message has it, but on a line that stands in the prompt as well".to_owned());
            }
            said
        });
        said
    }

    /// The line that counts and is most like what was looked for, if one is.
    fn similar(&self, likeness: &Likeness) -> Option<String> {
        let added = self.files.iter().flat_map(|file| {
            let Content::Text(text) = &file.content else { return Vec::new() };
            let lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line));
            lines.filter(|(line, _)| file.added.contains(line)).map(|(line, text)| (place(file, line), text)).collect()
        });
        let said =
            self.message.iter().flat_map(|(message, _)| message.lines().map(|line| ("message".to_owned(), line)));
        added
            .chain(said)
            .take(COMPARED_LINES)
            .map(|(place, line)| (likeness.of(line), place, line))
            .filter(|(similarity, ..)| *similarity >= likeness.near())
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, place, line)| format!("{place}: {}", line.trim()))
    }
}

/// So many files that are no evidence are named.
const NAMED: usize = 3;

/// A hint isn't worth more time than this many lines take.
const COMPARED_LINES: usize = 20_000;

fn place(file: &ChangedFile, line: usize) -> String {
    format!("{}:{line}", file.path)
}
