//! The program's source as the rules read it: code without comments, texts and test modules, line by line.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// One file of `src`.
pub struct Source {
    /// From the repository's root, with `/`.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// The same lines, where comments, texts and test modules are blank.
    pub code: String,
}

/// Every Rust file of `src` but the tests, by path.
pub fn all() -> Vec<Source> {
    let mut sources: Vec<Source> =
        files(&root().join("src")).into_iter().filter_map(|path| Source::read(&path)).collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(sources.len() > 50, "the source is not where it was: {} files", sources.len());
    sources
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

impl Source {
    fn read(path: &Path) -> Option<Source> {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let program = name.ends_with(".rs") && !name.ends_with("/tests.rs") && !name.contains("/tests/");
        program.then(|| Source::new(name, fs::read_to_string(path).unwrap()))
    }

    pub fn new(path: String, text: String) -> Source {
        let mut code = blanked(&text);
        // House style: a file's own tests stand at its end.
        if let Some(at) = Regex::new(r"#\[cfg\(test\)\]\s*(#\[[^\]]*\]\s*)*mod \w+ \{").unwrap().find(&code) {
            code.truncate(at.start());
        }
        Source { path, text, code }
    }

    /// Whether this is `name.rs` or in `name/`, `name` being a path below `src` without `.rs`.
    pub fn is(&self, name: &str) -> bool {
        let own = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        own.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Every place in the code where `pattern` stands, as `file:line: what stands there`.
    pub fn find(&self, pattern: &str) -> Vec<String> {
        let pattern = Regex::new(&format!("(?m){pattern}")).unwrap();
        pattern.find_iter(&self.code).map(|found| self.told(found.start(), found.as_str())).collect()
    }

    fn told(&self, at: usize, what: &str) -> String {
        let line = self.code[..at].matches('\n').count() + 1;
        format!("{}:{line}: {}", self.path, what.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The paths of this crate that the code names, `crate::` and imported groups taken apart: `file:line` and path.
    pub fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for found in Regex::new(r"\b(?:crate|kanban_codex_exec)::").unwrap().find_iter(&self.code) {
            let place = self.told(found.start(), "");
            let place = place.trim_end_matches([':', ' ']).to_owned();
            let rest = &self.code[found.end()..];
            expand("", rest, &mut |path| names.push((place.clone(), path)));
        }
        names
    }
}

/// Gives every path that begins at `rest`: `a::{b, c::d}` is `a::b` and `a::c::d`. What remains behind them.
fn expand<'r>(before: &str, rest: &'r str, give: &mut dyn FnMut(String)) -> &'r str {
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, mut rest) = rest.split_at(word);
    let path = if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner.trim_start();
        while !rest.starts_with('}') && !rest.is_empty() {
            rest = expand(before, rest, give).trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        }
        return rest.strip_prefix('}').unwrap_or_default();
    }
    match rest.strip_prefix("::") {
        Some(inner) => expand(&path, inner, give),
        None => {
            give(path);
            // Past what a path can't hold (`as name`, `*`, `self`), so that a group always comes to its end.
            &rest[rest.find([',', '}', ';', '\n']).unwrap_or(rest.len())..]
        }
    }
}

/// The text with comments and the contents of texts made blank; lines stay where they are.
fn blanked(text: &str) -> String {
    let token = Regex::new(
        r##"(?sx) //[^\n]* | /\*.*?\*/ | \bb?r\#"(.*?)"\# | \bb?r"[^"]*" | b?"(?:[^"\\]|\\.)*" | b?'(?:[^'\\\n]|\\[^\n]{1,10}?)' "##,
    );
    let blank =
        |found: &regex::Captures<'_>| found[0].chars().map(|c| if c == '\n' { c } else { ' ' }).collect::<String>();
    token.unwrap().replace_all(text, blank).into_owned()
}
