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
        let read = |text: &'g str| {
            let (guards, glob) = text.strip_prefix('!').map_or((true, text), |glob| (false, glob));
            match FileGlob::new(glob) {
                _ if glob.is_empty()
                    || glob.starts_with('/')
                    || glob.split('/').any(|part| part == ".." || part == ".") =>
                {
                    Err(format!("`{text}` can match no file: globs start at the workspace"))
                }
                Ok(glob) => Ok((guards, glob)),
                Err(reason) => Err(format!("`{text}`: {reason}")),
            }
        };
        globs.into_iter().map(read).collect::<Result<_, _>>().map(GuardPaths)
    }

    /// Whether a change of this file weakens what is judged by. A pattern (`tests/**`) guards the files that stood there,
    /// a name (`conftest.py`) also against being made. `shell`: a shell test is among what is judged by.
    pub fn guards(&self, path: &TreePath, existed: bool, shell: bool) -> bool {
        let redirects = || REDIRECTING.iter().any(|glob| glob.matches(path));
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
        ] {
            assert_eq!(guards.guards(&TreePath::new(path), existed, true), expected, "{path}");
        }
        assert!(!guards.guards(&TreePath::new(".cargo/config.toml"), false, false), "no shell test rests on it");
    }

    #[test]
    fn what_redirects_is_named_by_globs_that_can_be_read() {
        assert_eq!(REDIRECTING.len(), REDIRECTS.len());
    }

    #[test]
    fn globs_that_match_nothing_are_wrong() {
        for glob in ["", "!", "/etc/passwd", "../x", "a/[", "a/./b"] {
            assert!(GuardPaths::new([glob]).is_err(), "{glob}");
        }
    }
}
