//! `shell:` tests: whether one may run, and as which words. Pure; no shell sees the words, the loop runs them.

use std::fmt;
use std::path::{Component, Path};

/// Commands that `shell:` tests may run. An entry is a command (`cargo`), its first words (`cargo test`), or a whole
/// line, which alone may hold what a shell would interpret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist(Vec<String>);

impl Allowlist {
    pub fn new(entries: impl IntoIterator<Item = String>) -> Allowlist {
        let entries = entries.into_iter().map(|entry| entry.trim().to_owned());
        Allowlist(entries.filter(|entry| !entry.is_empty()).collect())
    }

    fn line(&self, line: &str) -> bool {
        self.0.iter().any(|entry| entry == line)
    }

    fn words(&self, words: &[String]) -> bool {
        let entries = self.0.iter().filter(|entry| interpreted(entry).is_none());
        entries
            .filter_map(|entry| shell_words::split(entry).ok())
            .any(|entry| !entry.is_empty() && words.starts_with(&entry))
    }
}

/// Why a `shell:` test isn't run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    pub reason: String,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// The argument vector of a `shell:` payload, to be run in the workspace. `allowed` is ALLOW_SHELL_TESTS.
pub fn plan(payload: &str, allowlist: &Allowlist, allowed: bool) -> Result<Vec<String>, Blocked> {
    let line = payload.trim();
    if !allowed {
        return blocked("shell tests are off: set ALLOW_SHELL_TESTS=true to run them");
    }
    if line.contains('\0') {
        return blocked("the command holds a NUL, which no program can be given");
    }
    if let Some(found) = interpreted(line) {
        return match allowlist.line(line) {
            true => Ok(vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()]),
            false => blocked(format!("`{found}` needs a shell: put the whole line on the allowlist, or do without")),
        };
    }
    let Ok(words) = shell_words::split(line) else {
        return blocked("a quote in the command is not closed");
    };
    let Some(program) = words.first().filter(|program| !program.is_empty()) else {
        return blocked("the command is empty");
    };
    if leaves_workspace(program) {
        return blocked(format!("`{program}` is outside the workspace"));
    }
    if !allowlist.words(&words) {
        return blocked(format!("`{program}` is not on the allowlist: add it to SHELL_TEST_ALLOWLIST"));
    }
    Ok(words)
}

fn blocked<T>(reason: impl Into<String>) -> Result<T, Blocked> {
    Err(Blocked { reason: reason.into() })
}

/// The first thing in the line that a shell would not take literally, quoted or not.
fn interpreted(line: &str) -> Option<&'static str> {
    ["|", "&", ";", "<", ">", "$(", "`", "\n"].into_iter().find(|found| line.contains(found))
}

/// Whether a relative path climbs above the folder that it starts in. A bare name is looked for on PATH.
fn leaves_workspace(program: &str) -> bool {
    let mut depth = 0_i32;
    Path::new(program).components().any(|part| {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
        depth < 0 && !program.starts_with('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [&str; 5] = ["cargo", "npm run lint", "./scripts/check.sh", "ls src | wc -l", "/opt/check"];

    fn run(payload: &str) -> Result<Vec<String>, String> {
        plan(payload, &Allowlist::new(LIST.map(str::to_owned)), true).map_err(|blocked| blocked.reason)
    }

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (payload, argv) in [
            ("cargo test", &["cargo", "test"][..]),
            ("  cargo   test  ", &["cargo", "test"]),
            ("cargo test -- 'one case' \"and $HOME\"", &["cargo", "test", "--", "one case", "and $HOME"]),
            ("cargo test *.rs ~", &["cargo", "test", "*.rs", "~"]),
            ("npm run lint --fix", &["npm", "run", "lint", "--fix"]),
            ("npm  run 'lint'", &["npm", "run", "lint"]),
            ("./scripts/check.sh ../x", &["./scripts/check.sh", "../x"]),
            ("/opt/check", &["/opt/check"]),
            ("ls src | wc -l", &["sh", "-c", "ls src | wc -l"]),
        ] {
            assert_eq!(run(payload), Ok(argv.iter().map(|word| (*word).to_owned()).collect()), "{payload}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_blocked_with_the_reason() {
        for (payload, reason) in [
            ("rm -rf /", "`rm` is not on the allowlist"),
            ("npm run build", "`npm` is not on the allowlist"),
            ("npm", "`npm` is not on the allowlist"),
            ("cargo-evil", "`cargo-evil` is not on the allowlist"),
            ("cargo\u{a0}test", "is not on the allowlist"),
            ("./cargo test", "`./cargo` is not on the allowlist"),
            ("/usr/bin/cargo test", "`/usr/bin/cargo` is not on the allowlist"),
            ("PATH=. cargo test", "`PATH=.` is not on the allowlist"),
            ("ls src", "`ls` is not on the allowlist"),
            ("ls src | wc -l ; rm x", "`|` needs a shell"),
            ("cargo test && rm x", "`&` needs a shell"),
            ("cargo test; rm x", "`;` needs a shell"),
            ("cargo test < x", "`<` needs a shell"),
            ("cargo test > x", "`>` needs a shell"),
            ("cargo $(rm x)", "`$(` needs a shell"),
            ("cargo `rm x`", "needs a shell"),
            ("cargo 'a|b'", "`|` needs a shell"),
            ("cargo test\nrm x", "needs a shell"),
            ("cargo 'test", "a quote in the command is not closed"),
            ("''", "the command is empty"),
            ("../cargo test", "is outside the workspace"),
            ("scripts/../../check.sh", "is outside the workspace"),
            ("cargo \0", "holds a NUL"),
        ] {
            let got = run(payload).expect_err(payload);
            assert!(got.contains(reason), "{payload}: {got}");
        }
    }

    #[test]
    fn nothing_runs_unless_shell_tests_are_allowed() {
        let got = plan("cargo test", &Allowlist::new(["cargo".to_owned()]), false).expect_err("off");
        assert!(got.reason.contains("ALLOW_SHELL_TESTS=true"), "{got}");
    }

    #[test]
    fn an_empty_allowlist_allows_nothing() {
        for list in [vec![], vec![String::new()], vec!["''".to_owned()], vec!["  ".to_owned()]] {
            assert!(plan("cargo test", &Allowlist::new(list.clone()), true).is_err(), "{list:?}");
        }
    }
}
