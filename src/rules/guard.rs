//! The files that a column's shell tests rest on, and that no attempt may weaken. Pure.

use std::sync::LazyLock;

use crate::checks::FileGlob;
use crate::evidence::TreePath;

/// Files that say what a command runs, whoever names the command. A shell test does not count on what codex made of them.
const REDIRECTS: [&str; 15] = [
    "**/.cargo/config.toml",
    "**/.cargo/config",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnpmfile.cjs",
    "sitecustomize.py",
    "usercustomize.py",
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
    ".envrc",
    "GNUmakefile",
];

/// Compiled once: every changed file is held against them.
static REDIRECTING: LazyLock<Vec<FileGlob>> =
    LazyLock::new(|| REDIRECTS.iter().filter_map(|glob| FileGlob::new(glob).ok()).collect());

/// `guardPaths:`, in order: the last glob that knows a path decides, `!glob` lets it go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardPaths(Vec<(bool, FileGlob)>);

impl GuardPaths {
    /// The error names the glob that is wrong, and why it is.
    pub fn new<'g>(globs: impl IntoIterator<Item = &'g str>) -> Result<GuardPaths, String> {
        let mut read = Vec::new();
        for text in globs {
            let (guards, glob) = match text.trim().strip_prefix('!') {
                Some(glob) => (false, glob.trim_start()),
                None => (true, text.trim()),
            };
            let (name, folder) = glob.strip_suffix('/').map_or((glob, false), |name| (name, true));
            if let Some(hint) = FileGlob::impossible(name) {
                return Err(format!("`{text}` can match no file; {hint}"));
            }
            let wrong = |reason| format!("`{text}`: {reason}");
            let file = FileGlob::new(name).map_err(wrong)?;
            // As in a `.gitignore`, a folder's name stands for what is in it.
            let inside = folder || !file.as_str().rsplit('/').next().unwrap_or_default().contains(['*', '?', '[']);
            read.extend((!folder).then_some((guards, file)));
            if inside {
                read.push((guards, FileGlob::inside(name).map_err(wrong)?));
            }
        }
        Ok(GuardPaths(read))
    }

    /// The paths that are named in full. They are looked at although git ignores them; what patterns know is not, for
    /// checks that run leave ignored files beside themselves.
    pub fn named(&self) -> impl Iterator<Item = TreePath> {
        let full =
            self.0.iter().filter(|(guards, glob)| *guards && !glob.as_str().contains(['*', '?', '[', '{', '\\']));
        full.map(|(_, glob)| TreePath::new(glob.as_str())).filter(|path| self.guards(path, true, false))
    }

    /// Whether a change of this file weakens what is judged by. A pattern (`tests/**`) guards the files that stood there,
    /// a name (`conftest.py`) also against being made. `shell`: a shell test is among what is judged by.
    pub fn guards(&self, path: &TreePath, existed: bool, shell: bool) -> bool {
        // Beside a `Makefile` a new one is read in its place; one that was there is as any other.
        let shadows = !existed && path.name() == b"makefile";
        let redirects = || shadows || REDIRECTING.iter().any(|glob| glob.matches(path));
        let decides = |(_, glob): &&(bool, FileGlob)| (existed || glob.names_a_file()) && glob.matches(path);
        match self.0.iter().rev().find(decides) {
            Some((guards, _)) => *guards,
            None => shell && redirects(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_guards_what_was_there_and_a_name_also_what_is_made() {
        let globs = ["tests/**", "!tests/data/**", "conftest.py", "!.npmrc"];
        let guards = GuardPaths::new(globs).unwrap();
        for (path, existed, expected) in [
            ("tests/a.rs", true, true),
            ("tests/a.rs", false, false),
            ("tests/data/a.json", true, false),
            ("src/conftest.py", false, true),
            ("src/a.rs", true, false),
            (".cargo/config.toml", false, true),
            ("crates/a/.cargo/config.toml", true, true),
            (".npmrc", false, false),
            ("sub/makefile", false, true),
            ("makefile", true, false),
            ("Makefile", false, false),
            ("GNUmakefile", true, true),
        ] {
            assert_eq!(guards.guards(&TreePath::new(path), existed, true), expected, "{path}");
        }
        assert!(!guards.guards(&TreePath::new(".cargo/config.toml"), false, false), "no shell test rests on it");
    }

    #[test]
    fn what_is_named_in_full_is_looked_at_although_it_is_ignored() {
        let globs = ["Makefile", "a/check.sh", "tests/**", "*.py", "app/\\[id\\]", "mine", "!mine"];
        let named: Vec<TreePath> = GuardPaths::new(globs).unwrap().named().collect();
        assert_eq!(named, ["Makefile", "a/check.sh"].map(TreePath::new));
    }

    #[test]
    fn a_folders_name_guards_what_is_in_it() {
        for (glob, guarded, free) in [
            ("tests/", &["tests/a.rs", "tests/b/c.rs", "x/tests/a.rs"][..], &["tests", "mytests/a.rs"][..]),
            ("tests", &["tests/a.rs", "tests/b/c.rs", "x/tests/a.rs", "tests"], &["tests.rs"]),
            ("a/tests", &["a/tests/b.rs", "a/tests/b/c.rs"], &["tests/b.rs", "x/a/tests/b.rs"]),
            ("a/tests/", &["a/tests/b.rs", "a/tests/b/c.rs"], &["tests/b.rs", "a/tests"]),
            ("**/tests/", &["tests/a.rs", "x/tests/b/c.rs"], &["src/a.rs"]),
            ("tests/**/", &["tests/a.rs", "tests/b/c.rs"], &["x/tests/a.rs"]),
            ("tests/** ", &["tests/a.rs", "tests/b/c.rs"], &["x/tests/a.rs"]),
            ("tests/{a,b}", &["tests/a/c.rs", "tests/b"], &["tests/c/a.rs"]),
            ("tests/*", &["tests/a.rs"], &["tests/b/c.rs"]),
            ("tests/*/", &["tests/b/c.rs"], &["tests/a.rs"]),
            ("app/\\[id\\]/", &["app/[id]/page.tsx"], &["app/i/page.tsx"]),
        ] {
            let (guards, lets_go) = (GuardPaths::new([glob]).unwrap(), format!("! {glob}"));
            let lets_go = GuardPaths::new(["**", &lets_go]).unwrap();
            for (path, expected) in guarded.iter().map(|path| (path, true)).chain(free.iter().map(|path| (path, false)))
            {
                assert_eq!(guards.guards(&TreePath::new(*path), true, false), expected, "{glob}: {path}");
                assert_eq!(lets_go.guards(&TreePath::new(*path), true, false), !expected, "! {glob}: {path}");
            }
        }
        let guards = GuardPaths::new(["tests"]).unwrap();
        assert!(!guards.guards(&TreePath::new("tests/new.rs"), false, false), "what is new in it is free");
        assert!(guards.guards(&TreePath::new("tests"), false, false), "a file of its name is not");
    }

    #[test]
    fn what_redirects_is_named_by_globs_that_can_be_read() {
        assert_eq!(REDIRECTING.len(), REDIRECTS.len());
    }

    #[test]
    fn globs_that_match_nothing_are_wrong() {
        for glob in
            ["", "!", " ", "/", "/etc/passwd", "/tests/", "../x", "a/[", "a/./b", "a//b", "tests//", r"tests\**"]
        {
            assert!(GuardPaths::new([glob]).is_err(), "{glob}");
        }
    }
}
