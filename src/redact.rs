//! Secrets: every text that the program composes or stores goes through here.
//!
//! Two kinds are known: the values of environment variables that are named like secrets, and the shapes of tokens that
//! anybody can recognise. Each becomes `[REDACTED:NAME]`. What was redacted once stays as it is when it comes by again.

mod secrets;
mod shapes;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use shapes::{Found, KeyEnd, PRIVATE_KEY, SHAPES};

/// So much of a value is looked for; the rest of a longer one follows by comparing.
const NEEDLE: usize = 256;
/// A line that grows longer is worked in pieces, of which so much is looked at again with what follows.
const LONGEST_LINE: usize = 64 * 1024;
const OVERLAP: usize = 16 * 1024;

/// Knows the values and shapes that must not be written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Redactor {
    known: Arc<Known>,
}

struct Known {
    /// Name and value.
    secrets: Vec<(String, String)>,
    /// The needles, longest first; None where no value is known.
    values: Option<AhoCorasick>,
    /// By needle: the values that begin with it and their variables' names.
    names: BTreeMap<Vec<u8>, Vec<(Vec<u8>, String)>>,
    /// Of earlier redactions, with a name of our own.
    marks: Option<AhoCorasick>,
}

impl std::fmt::Debug for Known {
    /// Names only: a debug print must give nothing away.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: BTreeSet<&String> = self.names.values().flatten().map(|(_, name)| name).collect();
        f.debug_set().entries(names).finish()
    }
}

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Secret<'k> {
    range: Range<usize>,
    /// Where that starts by which it is known.
    from: usize,
    name: &'k str,
    /// It reaches the end of the text, and may go on with more of it.
    open: Option<Inside>,
}

/// What a stream is in the midst of: it was masked already, and its rest is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Key,
    Token,
}

impl Default for Redactor {
    /// Knows shapes alone.
    fn default() -> Redactor {
        Redactor::new([])
    }
}

impl Redactor {
    /// `env` is the environment: values of variables named like secrets are looked for, and in the values of all of them
    /// what has a secret's shape, which then is known without its surroundings as well.
    pub fn new(env: impl IntoIterator<Item = (String, String)>) -> Redactor {
        let env: Vec<(String, String)> = env.into_iter().collect();
        let mut secrets = secrets::of_environment(&env);
        let shapes = Redactor::of(Vec::new());
        for (_, value) in &env {
            let found = shapes.known.secrets(value.as_bytes()).into_iter();
            let found = found.map(|secret| (secret.name, &value.as_bytes()[secret.range]));
            let found = found.filter_map(|(name, secret)| Some((name, std::str::from_utf8(secret).ok()?)));
            secrets.extend(found.filter(|(_, secret)| secrets::is_telling(secret)).map(owned));
        }
        Redactor::of(secrets)
    }

    /// Knows also the lines of the private keys in `texts`, for when parts of these texts are told: a line alone has no
    /// shape.
    #[must_use]
    pub fn knowing<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Redactor {
        let mut lines = Vec::new();
        for text in texts.into_iter().filter(|text| text.contains(shapes::LABEL)) {
            for secret in self.known.secrets(text.as_bytes()).into_iter().filter(|secret| secret.name == PRIVATE_KEY) {
                let key = text.get(secret.range).unwrap_or_default();
                lines.extend(shapes::key_lines(key).map(|line| owned((PRIVATE_KEY, line))));
            }
        }
        match lines.is_empty() {
            true => self.clone(),
            false => Redactor::of(self.known.secrets.iter().cloned().chain(lines).collect()),
        }
    }

    fn of(mut secrets: Vec<(String, String)>) -> Redactor {
        // One line of a key is known as well.
        let lines = secrets.iter().filter(|(_, value)| value.contains('\n') || value.contains(shapes::LABEL));
        let lines = lines.flat_map(|(name, value)| shapes::key_lines(value).map(|line| owned((name, line))));
        let several = secrets.iter().filter(|(_, value)| value.contains('\n'));
        let words = several.flat_map(|(name, value)| secrets::words(value).map(|word| owned((name, word))));
        let parts: Vec<_> = lines.chain(words).collect();
        secrets.extend(parts);
        let shapes = SHAPES.iter().map(|(name, _)| *name);
        let marks: BTreeSet<String> = secrets.iter().map(|(name, _)| name.as_str()).chain(shapes).map(mark).collect();
        // A value that stands in a mark is no secret, and would be redacted for ever.
        secrets.retain(|(_, value)| !marks.iter().any(|mark| mark.contains(value.as_str())));
        let mut names: BTreeMap<Vec<u8>, Vec<(Vec<u8>, String)>> = BTreeMap::new();
        for (name, value) in &secrets {
            for form in secrets::forms(value) {
                let values = names.entry(form[..form.len().min(NEEDLE)].to_vec()).or_default();
                if values.iter().all(|(known, _)| *known != form) {
                    values.push((form, name.clone()));
                }
            }
        }
        let mut needles: Vec<&Vec<u8>> = names.keys().collect();
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        let values = any_of(needles.into_iter().map(Vec::as_slice));
        let marks = any_of(marks.iter().map(String::as_bytes));
        Redactor { known: Arc::new(Known { secrets, values, names, marks }) }
    }

    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let secrets = self.known.secrets(text.as_bytes());
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for secret in secrets {
            out.extend_from_slice(&text.as_bytes()[at..secret.range.start]);
            out.extend_from_slice(mark(secret.name).as_bytes());
            at = secret.range.end;
        }
        out.extend_from_slice(&text.as_bytes()[at..]);
        Cow::Owned(
            String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// Takes secrets out of every text of a JSON value, which stays JSON.
    pub fn json(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.text(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.json(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A filter for bytes that arrive in pieces.
    pub fn stream(&self) -> Stream {
        Stream { redactor: self.clone(), held: Vec::new(), inside: None }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn mark(name: &str) -> String {
    format!("[REDACTED:{name}]")
}

/// The first of `literals` that stands somewhere.
fn any_of<'l>(literals: impl Iterator<Item = &'l [u8]>) -> Option<AhoCorasick> {
    let found = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(literals).ok();
    found.filter(|found| found.patterns_len() > 0)
}

impl Known {
    /// All secrets of a text, in order. Marks part it, then values, and shapes are looked for in what is left: each step
    /// sees the text as it would after the step before, which is why a second time finds nothing new.
    fn secrets(&self, text: &[u8]) -> Vec<Secret<'_>> {
        let mut secrets = Vec::new();
        let mut at = 0;
        for mark in self.marks.iter().flat_map(|marks| marks.find_iter(text)) {
            self.values(text, at..mark.start(), &mut secrets);
            at = mark.end();
        }
        self.values(text, at..text.len(), &mut secrets);
        secrets
    }

    fn values<'k>(&'k self, text: &[u8], part: Range<usize>, secrets: &mut Vec<Secret<'k>>) {
        let mut at = part.start;
        while let Some(found) = self.values.as_ref().and_then(|values| values.find(text.get(at..part.end)?)) {
            let start = at + found.start();
            let rest = &text[start..part.end];
            let long = |(value, name): &'k (Vec<u8>, String)| {
                (value.iter().zip(rest).take_while(|(known, byte)| known == byte).count(), name.as_str())
            };
            let values = self.names.get(&rest[..found.len()]).into_iter().flatten();
            let Some((length, name)) = values.map(long).max_by_key(|(length, _)| *length) else { break };
            at = shapes_of(text, at..start, secrets);
            if at > start {
                continue;
            }
            at = start + length;
            secrets.push(Secret { range: start..at, from: start, name, open: None });
        }
        shapes_of(text, at..part.end, secrets);
    }

    /// Where the end of `text` is the start of a value: it can't be judged yet.
    fn started(&self, text: &[u8]) -> Option<usize> {
        let start = |(value, _): &(Vec<u8>, String)| {
            let from = text.len().saturating_sub(value.len() - 1);
            (from..text.len()).find(|&at| text[at] == value[0] && value.starts_with(&text[at..]))
        };
        self.names.values().flatten().filter_map(start).min()
    }
}

/// Adds the secrets of a part by their shape, and gives its end, or that of a private key that reaches over it.
fn shapes_of(text: &[u8], part: Range<usize>, secrets: &mut Vec<Secret<'_>>) -> usize {
    let mut at = part.start;
    while let Some(Found { from, range, name }) = text.get(at..part.end).and_then(shapes::find) {
        let (from, start) = (at + from, at + range.start);
        at += range.end;
        let mut open = (at == text.len()).then_some(Inside::Token);
        if name == PRIVATE_KEY {
            (at, open) = match shapes::key_end(&text[at..]) {
                KeyEnd::At(end) => (at + end, None),
                KeyEnd::Torn(end) => (at + end + shapes::word(&text[at + end..]), Some(Inside::Token)),
                KeyEnd::Open(end) => (at + end, Some(Inside::Key)),
            };
            open = open.filter(|inside| *inside == Inside::Key || at == text.len());
        }
        secrets.push(Secret { range: start..at, from, name, open });
    }
    at.max(part.end)
}

/// Redacts a stream: a secret that is split over two pieces is found as well. What it gives is what [`Redactor::text`] gives for
/// the whole (of a word of more than 16 KiB it may take more). It holds back the line that has not ended, at most 64 KiB of it
/// (and what may be the start of a known value).
#[derive(Debug)]
pub struct Stream {
    redactor: Redactor,
    held: Vec<u8>,
    inside: Option<Inside>,
}

impl Stream {
    /// Takes a piece; appends to `out` what can be given on.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(piece);
        self.leave(false);
        // Nothing is decided before a line ends: what is held is not searched for each small piece.
        let waiting = self.held.len() <= LONGEST_LINE && !piece.contains(&b'\n');
        if self.inside.is_some() || waiting {
            return;
        }
        let line = self.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let long = self.held.len() - line > LONGEST_LINE;
        let decided = if long { self.edge(self.held.len() - OVERLAP) } else { line };
        if decided > 0 {
            let known = Arc::clone(&self.redactor.known);
            let started = [known.started(&self.held), shapes::open_label(&self.held)];
            let started = started.into_iter().flatten().filter(|at| *at < decided).min();
            self.give(&known, decided, started, out);
        }
    }

    /// The end of the stream: appends what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.leave(true);
        let known = Arc::clone(&self.redactor.known);
        self.give(&known, self.held.len(), None, out);
        self.held.clear();
        self.inside = None;
    }

    /// Leaves out the rest of the secret that the stream is inside of.
    fn leave(&mut self, last: bool) {
        let end = match self.inside {
            None => return,
            Some(Inside::Key) => shapes::key_end(&self.held),
            Some(Inside::Token) => match shapes::word(&self.held) {
                end if end == self.held.len() => KeyEnd::Open(end),
                end => KeyEnd::At(end),
            },
        };
        match end {
            KeyEnd::At(end) => {
                self.held.drain(..end);
                self.inside = None;
            }
            KeyEnd::Torn(end) => {
                self.held.drain(..end);
                self.inside = Some(Inside::Token);
                self.leave(last);
            }
            KeyEnd::Open(end) if last || end > 0 => drop(self.held.drain(..end)),
            KeyEnd::Open(_) => {}
        }
    }

    /// The last place at or before `at` between two words, so that a piece never starts in the midst of one; nor of an
    /// escape, where that can be helped.
    fn edge(&self, at: usize) -> usize {
        let near = at.saturating_sub(OVERLAP);
        let plain = |byte: &u8| b" \t\r,\"'(){}<>".contains(byte);
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        let edge = self.held[near..at].iter().rposition(plain).map(|edge| near + edge);
        edge.or_else(|| self.held[..at].iter().rposition(|byte| !word(byte))).map_or(at, |edge| edge + 1)
    }

    /// Gives the first `decided` bytes, and as much more as the secret that reaches over them; but nothing from where a
    /// secret `started` that is yet to come whole.
    fn give(&mut self, known: &Known, decided: usize, started: Option<usize>, out: &mut Vec<u8>) {
        let mut at = 0;
        let mut end = started.unwrap_or(decided);
        for secret in known.secrets(&self.held) {
            if secret.from >= end {
                break;
            }
            if started.is_some_and(|started| secret.range.end > started) {
                end = secret.from;
                break;
            }
            out.extend_from_slice(&self.held[at..secret.range.start]);
            out.extend_from_slice(mark(secret.name).as_bytes());
            at = secret.range.end;
            self.inside = secret.open;
        }
        let end = at.max(end);
        out.extend_from_slice(&self.held[at..end]);
        self.held.drain(..end);
    }
}

#[cfg(test)]
mod tests;
