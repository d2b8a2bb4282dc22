//! Test strings proposed from the names of a repository's own tests. Pure.

use std::collections::BTreeSet;

use super::names::{Language, words};

/// A file and the names of its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFile {
    /// From the workspace, with `/`.
    pub path: String,
    pub language: Language,
    pub names: Vec<String>,
}

/// So many tests are proposed.
const MOST: usize = 1000;
/// So many words of a file's names stand in its first line.
const WORDS: usize = 16;

const HEAD: &str = "\
# Proposed by `init --from-tests` from the names of this repository's own tests. Nothing reads this file: copy what is to
# judge cards into TESTS, and write the words of your cards into the headers. Remove it and run `init --from-tests NAMED`
# again for a new one. To see what your cards would find in it:
#
#   kanban-codex-exec print-plan NAMED --tests PROPOSAL
#
# `regex` lines are proved by a change: an attempt has to add a test to that file. They need no permission.
# `shell` lines run one test. They need `allowShellTests: true` and their command on the `shellAllowlist` in
# kanban-codex-exec.yaml. In a column with `redGreen: true` one counts only for the card that turns it from red to green:
# write a card's tests first, let them fail, then let the card be worked. `guardPaths` keeps codex from weakening them.
";

/// The file's text. `tests` and `proposal`: what the tests file and this one are called. `named`: the words after a command that
/// name the board, each with a space before it.
pub fn text(files: &[TestFile], package: &str, (tests, proposal): (&str, &str), named: &str) -> String {
    let mut text = HEAD.replace("TESTS", tests).replace("PROPOSAL", proposal).replace(" NAMED", named);
    let mut ids = BTreeSet::new();
    let mut left = MOST;
    for file in files {
        // A name without a word is like no card.
        let names: Vec<&String> = file.names.iter().filter(|name| !words(name).is_empty()).take(left).collect();
        left -= names.len();
        if names.is_empty() {
            continue;
        }
        text.push_str(&format!("\n# {}\n{}\n", file.path, added(file, &mut ids)));
        for name in names {
            let command = file.language.command(&file.path, name, package);
            text.push_str(&format!("@{} {} :: shell:{command}\n", id(name, &mut ids), words(name)));
        }
    }
    if left == 0 {
        text.push_str(&format!("\n# and no more than these {MOST}\n"));
    }
    text
}

/// What is proved by a test that is added to the file.
fn added(file: &TestFile, ids: &mut BTreeSet<String>) -> String {
    let all: String = file.names.iter().map(|name| words(name).to_lowercase() + " ").collect();
    let mut about: Vec<&str> = Vec::new();
    for word in all.split_whitespace().filter(|word| word.chars().count() > 2) {
        if !about.contains(&word) && about.len() < WORDS {
            about.push(word);
        }
    }
    let stem = subject(&file.path);
    let id = id(&format!("tested {stem}"), ids);
    let around = file.path.len() - file.path.trim_start().len()..file.path.trim_end().len();
    let any = |at, char| "*?[]{}\\".contains(char) || !around.contains(&at);
    let glob: String = file.path.char_indices().map(|(at, char)| if any(at, char) { '?' } else { char }).collect();
    format!("@{id} A test is added to {stem}: {} :: regex[{glob}]:/{}/m", about.join(" "), file.language.added())
}

/// What a file is about, by its name; where that is one that many have, with its folder's.
fn subject(path: &str) -> String {
    const COMMON: [&str; 7] = ["index", "lib", "main", "mod", "spec", "test", "tests"];
    let mut parts = path.rsplit('/');
    let stem = parts.next().and_then(|name| name.split('.').next()).unwrap_or_default();
    let folder = parts.next().filter(|_| COMMON.contains(&stem)).unwrap_or_default();
    words(&format!("{folder} {stem}"))
}

/// An id of a name's letters and digits that no other test has.
fn id(name: &str, ids: &mut BTreeSet<String>) -> String {
    let short: Vec<String> = words(name).to_lowercase().split(' ').take(8).map(str::to_owned).collect();
    let short = short.join("-");
    let short = if short.is_empty() { "test" } else { &short };
    let numbered = std::iter::once(short.to_owned()).chain((2..).map(|number| format!("{short}-{number}")));
    let free = numbered.into_iter().find(|id| !ids.contains(id)).unwrap_or_default();
    ids.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checks;

    fn file(path: &str, names: &[&str]) -> TestFile {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        TestFile { path: path.to_owned(), language: Language::of(path).unwrap(), names }
    }

    #[test]
    fn each_test_and_each_file_is_proposed_once() {
        let files =
            [file("tests/greet.rs", &["greets_the_user", "prints_usage"]), file("a_test.go", &["TestGreetsTheUser"])];
        let text = text(&files, "", ("tests.txt", "tests.proposed.txt"), "");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('@')).collect();
        assert_eq!(
            lines,
            [
                r"@tested-greet A test is added to greet: greets the user prints usage :: regex[tests/greet.rs]:/#\[(\w+::)*test\b[^\]]*\]\s+(async )?fn \w+/m",
                "@greets-the-user greets the user :: shell:cargo test greets_the_user",
                "@prints-usage prints usage :: shell:cargo test prints_usage",
                r"@tested-a-test A test is added to a test: greets the user :: regex[a_test.go]:/^func Test\w+\(/m",
                "@greets-the-user-2 Greets The User :: shell:go test ./ -run '^TestGreetsTheUser$'",
            ]
        );
        checks::parse(&text, "t").unwrap();
    }

    #[test]
    fn a_file_of_a_common_name_is_told_by_its_folder() {
        for (path, expected) in [
            ("src/greet.rs", "greet"),
            ("src/judge/tests.rs", "judge tests"),
            ("web/cart/index.test.ts", "cart index"),
            ("tests.rs", "tests"),
        ] {
            assert_eq!(subject(path), expected, "{path}");
        }
    }

    #[test]
    fn a_very_large_repository_is_proposed_in_part() {
        let names: Vec<String> = (0..MOST + 5).map(|number| format!("name_{number}")).collect();
        let files = [TestFile { path: "src/a.rs".into(), language: Language::Rust, names }, file("src/b.rs", &["b"])];
        let text = text(&files, "", ("tests.txt", "p"), "");
        assert!(text.ends_with("\n# and no more than these 1000\n"), "{}", &text[text.len() - 100..]);
        assert_eq!(checks::parse(&text, "t").unwrap().len(), MOST + 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_tests_are_called_the_proposal_is_valid(path in "([ -~&&[^/.]]{1,6}/){0,2}[ -~&&[^/.]]{1,8}\\.(rs|go)", name in "\\PC{1,40}") {
            let language = if path.ends_with("rs") { Language::Rust } else { Language::JavaScript };
            let files = [TestFile { path, language, names: vec![name] }];
            let text = text(&files, "", ("t", "p"), "");
            prop_assert!(checks::parse(&text, "t").is_ok(), "{text}");
        }
    }
}
