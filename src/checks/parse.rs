//! The grammar of the tests file. Pure.
//!
//! ```text
//! line   = [ header " :: " ] check
//! header = words; "@name" sets the id, "#tag" adds a tag, the rest is the description
//! check  = kind [ "[" scope "]" ] ":" payload
//! ```

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use super::{Check, FileGlob, Kind, Pattern, Scope, TestId, TestString};
use crate::failure::Problem;
use crate::storage::sha256;

const KINDS: [&str; 4] = ["includes", "excludes", "regex", "shell"];
const HEADER_END: &str = " :: ";

/// Reads a tests file; `file` is its name as the user gave it. All problems come at once, in the order of the lines.
pub fn parse(text: &str, file: &str) -> Result<Vec<TestString>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tests: Vec<TestString> = Vec::new();
    let mut problems = Vec::new();
    let mut lines: HashMap<TestId, usize> = HashMap::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = Line { text: line.strip_suffix('\r').unwrap_or(line), number: index + 1, file };
        match line.read() {
            Ok(None) => {}
            Ok(Some(test)) => match lines.insert(test.id.clone(), test.line) {
                Some(first) => {
                    problems.push(line.duplicate(&test.id, first));
                    lines.insert(test.id, first);
                }
                None => tests.push(test),
            },
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(tests) } else { Err(problems) }
}

/// What a line with a shell test runs: the same whatever its header says.
pub fn command(line: &str) -> Option<&str> {
    split(line).filter(|(_, found)| found.kind == "shell").map(|(_, found)| found.payload.trim())
}

/// A line of the file, without its end.
#[derive(Clone, Copy)]
struct Line<'t> {
    text: &'t str,
    number: usize,
    file: &'t str,
}

/// A check as it stands in the line, not yet understood.
struct Found<'t> {
    kind: &'t str,
    scope: Option<&'t str>,
    payload: &'t str,
}

impl<'t> Line<'t> {
    fn read(self) -> Result<Option<TestString>, Problem> {
        let body = self.text.trim_start();
        let found = split(body);
        if body.is_empty() {
            return Ok(None);
        }
        if body.starts_with('#') {
            return match found {
                Some((_, found)) if body.contains(HEADER_END) => Err(self.tag_first(found)),
                _ => Ok(None),
            };
        }
        let Some((header, found)) = found else { return Err(self.without_kind(body)) };
        let header = self.header(header)?;
        let check = self.check(&found)?;
        let id = header.id.unwrap_or_else(|| TestId(format!("t-{}", &sha256(body.as_bytes())[..10])));
        let words = match &check.kind {
            _ if !header.words.is_empty() => header.words,
            Kind::Regex(pattern) => pattern.words(),
            Kind::Includes(payload) | Kind::Excludes(payload) | Kind::Shell(payload) => payload.trim().to_owned(),
        };
        Ok(Some(TestString { id, line: self.number, text: body.to_owned(), words, tags: header.tags, check }))
    }

    fn header(self, header: &'t str) -> Result<Header, Problem> {
        let mut read = Header::default();
        let mut words = Vec::new();
        for word in header.split_whitespace() {
            match (word.strip_prefix('@').filter(|n| !n.is_empty()), word.strip_prefix('#').filter(|t| !t.is_empty())) {
                (Some(name), _) if !name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c)) => {
                    let problem = self.problem(word, format!("`{word}` is no id"));
                    return Err(hinted(problem, "an id is made of letters, digits, `-`, `_`, `.` and `/`"));
                }
                (Some(_), _) if read.id.is_some() => {
                    let problem = self.problem(word, format!("a second id, `{word}`"));
                    return Err(hinted(problem, "a test has one `@name`; write other words without `@`"));
                }
                (Some(name), _) => read.id = Some(TestId(name.to_owned())),
                (None, Some(tag)) => read.tags.push(tag.to_owned()),
                (None, None) => words.push(word),
            }
        }
        read.words = words.join(" ");
        Ok(read)
    }

    fn check(self, found: &Found<'t>) -> Result<Check, Problem> {
        let scope = found.scope.map(|scope| self.scope(found.kind, scope)).transpose()?;
        if found.payload.trim().is_empty() {
            let problem = self.problem(found.kind, format!("nothing stands after `{}:`", found.kind));
            return Err(hinted(problem, format!("write what to look for: `{}:some words`", found.kind)));
        }
        let payload = found.payload.to_owned();
        let kind = match found.kind {
            "includes" => Kind::Includes(payload),
            "excludes" => Kind::Excludes(payload),
            "regex" => Kind::Regex(self.pattern(found.payload)?),
            _ => Kind::Shell(payload),
        };
        Ok(Check { kind, scope })
    }

    fn scope(self, kind: &str, scope: &'t str) -> Result<Scope, Problem> {
        let wrong = |text: &str, hint: &str| Err(hinted(self.problem(scope, text.to_owned()), hint));
        let known = "a scope is `message`, `changes` or a glob of changed files such as `src/**/*.rs`";
        match scope {
            _ if kind == "shell" => wrong("a shell test takes no scope", "write `shell:command`"),
            "message" => Ok(Scope::Message),
            "changes" => Ok(Scope::Changes),
            _ if scope.trim().is_empty() => wrong("the scope is empty", known),
            _ if ["message", "messages", "change", "changes"].contains(&scope.trim().to_lowercase().as_str()) => {
                wrong(&format!("unknown scope `{scope}`"), known)
            }
            _ => match FileGlob::impossible(scope) {
                Some(hint) => wrong(&format!("the glob `{scope}` can match no changed file"), hint),
                None => FileGlob::new(scope)
                    .map(Scope::Files)
                    .or_else(|reason| wrong(&format!("the glob `{scope}` is wrong: {reason}"), known)),
            },
        }
    }

    fn pattern(self, payload: &'t str) -> Result<Pattern, Problem> {
        let slashes = "write the pattern between slashes: `regex:/pattern/flags`";
        let wrong = |text: String, hint: &str| hinted(self.problem(payload, text), hint);
        let Some(rest) = payload.strip_prefix('/') else {
            return Err(wrong("a regex begins with `/`".to_owned(), slashes));
        };
        let Some((source, flags)) = rest.rsplit_once('/') else {
            return Err(wrong("a regex ends with `/`".to_owned(), slashes));
        };
        let flags = flags.trim_end();
        if source.is_empty() {
            return Err(wrong("the regex is empty".to_owned(), slashes));
        }
        if let Some(unknown) = flags.chars().find(|flag| !"imsxUgu".contains(*flag)) {
            let hint = "flags are `i`, `m`, `s`, `x`, `U`; `g` and `u` do nothing; the pattern ends at the last `/`";
            return Err(hinted(self.problem(flags, format!("unknown regex flag `{unknown}`")), hint));
        }
        // The crate draws the pattern over several lines; the reason is the last of them.
        Pattern::new(source, flags).map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason).trim_end_matches('.');
            self.problem(payload, format!("the regex is wrong: {reason}"))
        })
    }

    fn duplicate(self, id: &TestId, first: usize) -> Problem {
        let name = format!("@{id}");
        let (at, hint) = match self.text.find(&name) {
            Some(at) => (&self.text[at..], "give one of them another `@name`"),
            None => (self.text.trim_start(), "the same line stands twice: remove one, or give them `@name`s"),
        };
        hinted(self.problem(at, format!("the test `{id}` stands on line {first} already")), hint)
    }

    fn tag_first(self, found: Found<'t>) -> Problem {
        let problem = self.problem(
            self.text.trim_start(),
            "a line that begins with `#` is a comment, but this one holds a test".to_owned(),
        );
        let hint = format!("begin with `@name` or a word: `@name #tag words :: {}:…`", found.kind);
        hinted(problem, hint)
    }

    fn without_kind(self, body: &'t str) -> Problem {
        let starts = std::iter::once(body).chain(body.match_indices("::").map(|(at, _)| body[at + 2..].trim_start()));
        for part in starts {
            if check(part).is_some() {
                let problem = self.problem(part, "the header before this test does not end in ` :: `".to_owned());
                return hinted(problem, "write `words :: includes:some text`, with a space on both sides of `::`");
            }
            if let Some((word, kind)) = misspelt(part) {
                if part.strip_prefix(kind).is_some_and(|rest| rest.starts_with('[')) {
                    let problem = self.problem(part, format!("the scope of `{kind}` is not closed"));
                    return hinted(problem, format!("write `{kind}[scope]:some text`"));
                }
                let problem = self.problem(part, format!("unknown kind `{word}:`"));
                return hinted(problem, format!("did you mean `{kind}:`?"));
            }
        }
        let text = "no test in this line: it has none of `includes:`, `excludes:`, `regex:`, `shell:`".to_owned();
        hinted(self.problem(body, text), "write `words :: includes:some text`, or begin a comment with `#`")
    }

    /// `at` is a part of the line: the problem's column is where it begins.
    fn problem(self, at: &str, text: String) -> Problem {
        let offset = (at.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..offset).unwrap_or_default();
        Problem { file: self.file.to_owned(), line: self.number, column: before.chars().count() + 1, text, hint: None }
    }
}

#[derive(Default)]
struct Header {
    id: Option<TestId>,
    tags: Vec<String>,
    words: String,
}

fn hinted(problem: Problem, hint: impl Into<String>) -> Problem {
    Problem { hint: Some(hint.into()), ..problem }
}

/// Header and check; the header ends at the first ` :: ` that a kind follows.
fn split(body: &str) -> Option<(&str, Found<'_>)> {
    if let Some(found) = check(body) {
        return Some(("", found));
    }
    body.match_indices(HEADER_END)
        .find_map(|(at, _)| check(&body[at + HEADER_END.len()..]).map(|found| (&body[..at], found)))
}

fn check(text: &str) -> Option<Found<'_>> {
    let length = KINDS.iter().find(|kind| text.starts_with(**kind))?.len();
    let (kind, rest) = text.split_at(length);
    if let Some(payload) = rest.strip_prefix(':') {
        return Some(Found { kind, scope: None, payload });
    }
    let (scope, payload) = rest.strip_prefix('[')?.split_once("]:")?;
    Some(Found { kind, scope: Some(scope), payload })
}

/// A word before `:` or `[` that looks like a kind, and that kind.
fn misspelt(part: &str) -> Option<(&str, &'static str)> {
    let word = part[..part.find([':', '['])?].trim_end();
    let lower = word.to_lowercase();
    let known = KINDS.into_iter().find(|kind| lower.starts_with(&kind[..3]));
    let known = known.or(match lower.as_str() {
        "contains" | "contain" | "has" => Some("includes"),
        "not" | "without" => Some("excludes"),
        "sh" | "cmd" | "command" | "run" => Some("shell"),
        _ => None,
    });
    (!word.contains(char::is_whitespace)).then_some(())?;
    known.map(|kind| (word, kind))
}
