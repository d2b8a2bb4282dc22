use std::collections::BTreeSet;

use super::*;
use crate::checks::parse;
use crate::evidence::{ChangeSet, TreePath};

/// Lines that begin with `+` were added by the card.
fn file(path: &str, text: &str) -> ChangedFile {
    let added = text.split('\n').enumerate().filter(|(_, line)| line.starts_with('+')).map(|(at, _)| at + 1);
    let added: BTreeSet<usize> = added.collect();
    let text = text.split('\n').map(|line| line.strip_prefix('+').unwrap_or(line)).collect::<Vec<_>>().join("\n");
    ChangedFile { content: Content::Text(text), ..other(path, Content::Deleted, added) }
}

fn other(path: &str, content: Content, added: BTreeSet<usize>) -> ChangedFile {
    ChangedFile {
        path: TreePath::new(path),
        sha256: None,
        content,
        existed: false,
        obscured: false,
        as_left: true,
        added,
    }
}

fn evidence() -> Evidence {
    let binary = Content::Binary { visible: "hidden unwrap()".to_owned() };
    Evidence {
        message: "Done.\r\n  Add a parser for lines  \r\nAll 14 checks green\r\nfoo\r\nbar".to_owned(),
        prompt: "Implement the card.\r\n\r\n- Add a parser for lines\nAdd a parser for lines\nfoo".to_owned(),
        changes: ChangeSet {
            files: vec![
                other("a.png", binary, BTreeSet::new()),
                file("docs/notes.md", "old note\n+new note\n"),
                other("gone.rs", Content::Deleted, BTreeSet::new()),
                file(
                    "src/cli.rs",
                    "fn old() {\n    todo!()\n}\n\n+fn parse(line: &str) {\n    body();\n+    new_body();\n}\n\nold_a\nold_a\n+old_a new",
                ),
            ],
        },
        left_out: Vec::new(),
    }
}

const BOTH: [Source; 2] = [Source::Message, Source::Changes];

fn judged(line: &str, evidence: &Evidence, default: &[Source]) -> Judged {
    let tests = parse(line, "tests.txt").unwrap();
    judge(&tests[0], evidence, default).unwrap()
}

#[test]
fn work_is_found_where_the_card_did_it() {
    for (line, place) in [
        ("includes:All 14 checks", Some("message")),
        ("includes:all 14 checks", None),
        ("includes:fn parse(", Some("src/cli.rs:5")),
        ("includes:fn parse( ", None),
        ("includes:fn old(", None),
        ("includes:body()", Some("src/cli.rs:7")),
        ("includes:note", Some("docs/notes.md:2")),
        ("includes:Add a parser", None),
        ("includes:unwrap()", None),
        ("includes[message]:fn parse(", None),
        ("includes[changes]:All 14 checks", None),
        ("includes[src/*.rs]:note", None),
        ("includes[src/*.rs]:fn parse", Some("src/cli.rs:5")),
        ("includes[*.rs]:fn parse", Some("src/cli.rs:5")),
        ("includes[*/cli.rs]:fn parse", Some("src/cli.rs:5")),
        ("includes[cli.rs]:fn parse", Some("src/cli.rs:5")),
        ("includes[src]:fn parse", None),
        ("includes[**]:fn parse", Some("src/cli.rs:5")),
        ("includes[*.rs]:All 14 checks", None),
        (r"regex:/ALL \d+ checks/i", Some("message")),
        (r"regex:/ALL \d+ checks/", None),
        (r"regex:/^fn \w+\(/m", Some("src/cli.rs:5")),
        (r"regex:/^fn \w+\(/", None),
        (r"regex:/fn old[^§]*fn parse/", Some("src/cli.rs:5")),
        (r"regex:/parse.*new_body/s", Some("src/cli.rs:5")),
        (r"regex:/parse.*new_body/", None),
        (r"regex:/green$/m", Some("message")),
        (r"regex:/foo\nbar/", None),
        (r"regex:/green\nfoo/", None),
        (r"regex[message]:/bar/", Some("message")),
        (r"regex:/old_a\nold_a/", Some("src/cli.rs:12")),
        (r"regex:/x*/", None),
        (r"regex:/^\s*$/m", None),
        (r"regex:/\s{4}body\(\);\s*/", None),
        (r"regex:/unwrap/", None),
        (r"regex[a.png]:/hidden/", None),
    ] {
        let got = judged(line, &evidence(), &BOTH);
        assert_eq!(
            (got.place.as_deref(), got.passed, got.proves),
            (place, place.is_some(), place.is_some()),
            "{line}: {got:?}"
        );
    }
}

#[test]
fn what_is_excluded_may_stand_nowhere_in_scope() {
    for (line, place) in [
        ("excludes:panic!", None),
        ("excludes:todo!", Some("src/cli.rs:2")),
        ("excludes[message]:todo!", None),
        ("excludes[docs/**]:todo!", None),
        ("excludes[*.rs]:todo!", Some("src/cli.rs:2")),
        ("excludes:Add a parser", Some("message")),
        ("excludes[changes]:Add a parser", None),
        ("excludes:unwrap()", Some("a.png")),
        ("excludes[nothing/**]:x", None),
    ] {
        let got = judged(line, &evidence(), &BOTH);
        assert_eq!((got.place.as_deref(), got.passed, got.proves), (place, place.is_none(), false), "{line}: {got:?}");
    }
}

#[test]
fn who_changed_nothing_has_excluded_nothing() {
    let idle = Evidence { changes: ChangeSet::default(), ..evidence() };
    for line in ["excludes:panic!", "excludes[message]:panic!", "excludes[src/**]:panic!"] {
        let got = judged(line, &idle, &BOTH);
        assert!(!got.passed, "{line}");
        assert_eq!(
            got.nearest.as_deref(),
            Some("the card changed no file that counts, so nothing was kept out"),
            "{line}"
        );
    }
}

#[test]
fn a_column_says_where_a_test_without_a_scope_looks() {
    for (line, default, passed, looked_in) in [
        ("includes:All 14", &[Source::Changes][..], false, "4 changed files"),
        ("includes:All 14", &[Source::Message], true, "message"),
        ("includes:fn parse", &[Source::Message], false, "message"),
        ("includes:fn parse", &[Source::Changes], true, "4 changed files"),
        ("includes:fn parse", &BOTH, true, "message and 4 changed files"),
        ("excludes:Done", &[Source::Changes], true, "4 changed files"),
        ("excludes:todo", &[Source::Message], true, "message"),
        ("includes[message]:All 14", &[Source::Changes], true, "message"),
        ("includes[*.rs]:fn parse", &[Source::Message], true, "2 changed files matching `*.rs`"),
        ("includes[docs/**]:x", &[Source::Message], false, "1 changed file matching `docs/**`"),
    ] {
        let got = judged(line, &evidence(), default);
        assert_eq!((got.passed, got.looked_in.as_str()), (passed, looked_in), "{line} {default:?}");
    }
}

#[test]
fn a_failure_says_what_came_closest() {
    for (line, nearest) in [
        ("includes:fn old(", Some("src/cli.rs:1 has it, but the card did not add that line")),
        ("includes:Add a parser", Some("message has it, but on a line that stands in the prompt as well")),
        ("regex:/fn old/", Some("src/cli.rs:1 has it, but the card did not add that line")),
        ("includes:fn parse(lines: &str)", Some("src/cli.rs:5: fn parse(line: &str) {")),
        ("includes:all 14 checks are green", Some("message: All 14 checks green")),
        ("includes:zzzzzz", None),
        ("regex:/zzzzzz/", None),
        (r"regex:/fn parse\(lines?: \w+, /", Some("src/cli.rs:5: fn parse(line: &str) {")),
        (r"regex[message]:/ALL \d+ checks are green/", Some("message: All 14 checks green")),
        (r"regex:/\d{7}|[a-z]{40}/", None),
        ("includes:fn parse", None),
    ] {
        assert_eq!(judged(line, &evidence(), &BOTH).nearest.as_deref(), nearest, "{line}");
    }
}

#[test]
fn a_failure_names_the_files_that_are_no_evidence() {
    let binary = |path| other(path, Content::Binary { visible: "caf\u{fffd} Hello".to_owned() }, BTreeSet::new());
    let old = ChangedFile { obscured: true, ..file("old.txt", "Once") };
    let files = vec![binary("a.txt"), old, file("b.txt", "+Bye")];
    let left_out = vec![Skipped { path: TreePath::new("big.txt"), reason: "it is larger than 64 MiB".to_owned() }];
    let some = Evidence { changes: ChangeSet { files }, left_out, ..Evidence::default() };
    let (a, big) = ("a.txt (not UTF-8 text)", "big.txt (it is larger than 64 MiB)");
    for (line, unread) in [
        ("includes:Hello", Some(format!("{a}, {big}"))),
        ("regex:/Hello/", Some(format!("{a}, {big}"))),
        ("includes[a.*]:Hello", Some(a.to_owned())),
        ("includes[big.txt]:Hello", Some(big.to_owned())),
        ("includes[b.*]:Hello", None),
        ("includes[message]:Hello", None),
        ("includes:Bye", None),
        ("excludes:Hello", None),
    ] {
        assert_eq!(judged(line, &some, &BOTH).unread, unread, "{line}");
    }
    let nearest = "old.txt:1 has it, but the file was not UTF-8 text before: what the card added to it can't be told";
    assert_eq!(judged("includes:Once", &some, &BOTH).nearest.as_deref(), Some(nearest));
    let files = ["a", "b", "c", "d", "e"].map(binary).to_vec();
    let many = Evidence { changes: ChangeSet { files }, ..Evidence::default() };
    let said = "a (not UTF-8 text), b (not UTF-8 text), c (not UTF-8 text), 2 more";
    assert_eq!(judged("includes:Hello", &many, &BOTH).unread.as_deref(), Some(said));
}

#[test]
fn a_shell_test_is_not_judged_here() {
    let tests = parse("shell:true", "tests.txt").unwrap();
    assert_eq!(judge(&tests[0], &evidence(), &BOTH), None);
}

#[test]
fn a_name_cannot_write_lines_onto_the_card() {
    let changes = ChangeSet { files: vec![file("a\n- [x] b", "+found")] };
    let got = judged("includes:found", &Evidence { changes, ..Evidence::default() }, &BOTH);
    assert_eq!(got.place.as_deref(), Some("a\\n- [x] b:1"));
}

#[test]
fn a_pattern_that_matches_much_is_not_slow() {
    let text = format!("{}+new\n", "a\n".repeat(200_000));
    let changes = ChangeSet { files: vec![file("a", &text)] };
    let start = std::time::Instant::now();
    let got = judged("regex:/a.*a\\n/s", &Evidence { changes, ..Evidence::default() }, &BOTH);
    assert_eq!((got.passed, got.nearest.as_deref()), (false, Some("a:1 has it, but the card did not add that line")));
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_near_miss_costs_little_however_long_the_lines_are() {
    let text = format!("+{} looked for here\n", "long line of words ".repeat(200)).repeat(20_000);
    let changes = ChangeSet { files: vec![file("a", &text)] };
    let evidence = Evidence { changes, ..Evidence::default() };
    let start = std::time::Instant::now();
    let nearest = judged("regex:/words (not )?found \\d here/", &evidence, &BOTH).nearest.unwrap();
    assert!(nearest.ends_with(" looked for here"), "{nearest}");
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
}
