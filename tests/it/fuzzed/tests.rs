//! A tests file: every line is a test, a comment or a problem, whatever stands on the others.

use std::collections::BTreeSet;

use kanban_codex_exec::checks::{Kind, TestString, parse, shell};

/// How many tests were read.
pub fn holds(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    // A mark at the file's start is no part of its first line.
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(&text).split('\n').collect();
    let tests = match parse(&text, "tests.txt") {
        Ok(tests) => tests,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason: {text:?}");
            assert!(problems.is_sorted_by_key(|problem| problem.line), "{problems:?}");
            for problem in problems {
                let line = lines.get(problem.line.wrapping_sub(1)).copied().unwrap_or_default();
                let width = line.chars().count();
                assert!((1..=lines.len()).contains(&problem.line), "{problem:?} in {text:?}");
                assert!((1..=width + 1).contains(&problem.column), "{problem:?} in {text:?}");
                assert!(!problem.text.contains('\n') && problem.file == "tests.txt", "{problem:?}");
            }
            return 0;
        }
    };
    let ids: BTreeSet<_> = tests.iter().map(|test| &test.id).collect();
    assert_eq!(ids.len(), tests.len(), "an id stands twice: {tests:?}");
    assert!(tests.is_sorted_by(|one, next| one.line < next.line), "{tests:?}");
    for test in &tests {
        let line = lines.get(test.line.wrapping_sub(1)).copied().unwrap_or_default();
        assert_eq!(line.strip_suffix('\r').unwrap_or(line).trim_start(), test.text);
        let alone = TestString { line: 1, ..test.clone() };
        assert_eq!(parse(&test.text, "tests.txt").as_deref(), Ok(&[alone][..]), "a test alone is another one");
        let payload = match &test.check.kind {
            Kind::Includes(payload) | Kind::Excludes(payload) => payload.clone(),
            Kind::Regex(pattern) => {
                assert!(pattern.compile().is_ok(), "{pattern}");
                continue;
            }
            Kind::Shell(line) => {
                // Nothing that isn't on the list may run, however it is written.
                let none = shell::Allowlist::new([]);
                assert!(shell::plan(line, &none, true).is_err() && shell::plan(line, &none, false).is_err(), "{line}");
                line.clone()
            }
        };
        assert!(!payload.trim().is_empty() && test.text.ends_with(&payload), "{test:?}");
    }
    // Comments, blank lines and other line ends change no test.
    let spread: Vec<String> = lines.iter().map(|line| format!("{}\r\n# -\r\n", line.trim_end_matches('\r'))).collect();
    let bare =
        |tests: Vec<TestString>| -> Vec<_> { tests.into_iter().map(|test| (test.id, test.check.kind)).collect() };
    if !lines.iter().any(|line| line.trim_end_matches('\r').len() + 1 < line.len()) {
        let spread = parse(&spread.concat(), "tests.txt");
        assert_eq!(spread.map(bare), Ok(bare(tests.clone())), "{text:?}");
    }
    tests.len()
}
