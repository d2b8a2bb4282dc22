//! What is wrong is told with its place and what to do, exits with 2, and leaves everything as it was.
//!
//! Every case is told in the same words by `run`, `dry-run` and `print-plan`. The words are in `snapshots/`.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::PathBuf;

use crate::support::{World, picture};

/// What is wrong in an otherwise good world.
struct Case {
    name: &'static str,
    /// Written in place of what stood there; None removes it.
    files: &'static [(&'static str, Option<&'static [u8]>)],
    env: &'static [(&'static str, &'static str)],
    args: &'static [&'static str],
}

const GOOD: Case = Case { name: "", files: &[], env: &[], args: &[] };

const RULES: &str = "transitions.yaml";
const TESTS: &str = "tests.txt";
const CONFIG: &str = "kanban-codex-exec.yaml";
const BOARD: &str = "board.md";

/// The texts of all cases, one below the other.
fn told(cases: &[Case]) -> String {
    cases.iter().map(|case| format!("=== {}\n{}\n", case.name, told_of(case))).collect()
}

fn told_of(case: &Case) -> String {
    let mut world = World::outside_git("- [ ] KB-1 first @made\n").codex("raw\necho started >>\"$WORLD/codex.log\"");
    for (name, value) in case.env {
        world = world.env(name, *value);
    }
    for (file, bytes) in case.files {
        match bytes {
            Some(bytes) => world.write(file, bytes),
            None => fs::remove_file(world.repo(file)).unwrap(),
        }
    }
    let folders = ["repo", "home", "tmp", "codex-home"].map(|name| world.path(name));
    let before = folders.each_ref().map(|folder| picture(folder));
    let mut texts = ["run", "dry-run", "print-plan"].map(|command| {
        let args: Vec<&str> = std::iter::once(command).chain(case.args.iter().copied()).collect();
        let outcome = world.run(&args).exits(2);
        assert_eq!(outcome.stdout, "", "{}: an error is no report", case.name);
        outcome.stderr
    });
    for (folder, before) in folders.iter().zip(before) {
        assert_eq!(picture(folder).changes(&before), [] as [PathBuf; 0], "{}: something was written", case.name);
    }
    assert!(world.executions().is_empty() && !world.path("codex.log").exists(), "{}: codex was started", case.name);
    texts.sort_unstable();
    assert_eq!(texts[0], texts[2], "{}: the commands say different things", case.name);
    let root = fs::canonicalize(world.path("")).unwrap();
    texts[0].replace(&root.display().to_string(), "<world>")
}

/// Every text keeps the form that all errors have.
fn assert_form(texts: &str) {
    for text in texts.split("=== ").skip(1) {
        let (name, text) = text.split_once('\n').unwrap();
        let (problems, hints) = text.trim_end().split_once("\n\n").unwrap_or((text.trim_end(), ""));
        assert!(problems.starts_with("error: "), "{name}: {text}");
        for line in problems.lines().skip(1) {
            assert!(line.starts_with("       "), "{name}: {line:?} in {text}");
        }
        for line in hints.lines() {
            assert!(line.starts_with("hint: "), "{name}: {line:?} in {text}");
        }
        for line in text.lines() {
            assert!(!line.ends_with(['.', ' ', ':']), "{name}: {line:?}");
        }
    }
}

#[test]
fn a_tests_file_without_a_test_is_an_error_for_its_index_as_well() {
    let world = World::outside_git("- [ ] KB-1 first @made\n").with(TESTS, "# none yet\n");
    world.run(&["index-tests"]).exits(2).warns("error: tests.txt: holds no test\n\nhint: write one there");
    assert!(!world.cache("").exists());
}

macro_rules! assert_told {
    ($name:expr, $cases:expr) => {
        let told = told($cases);
        assert_form(&told);
        insta::assert_snapshot!($name, told);
    };
}

#[test]
fn wrong_rules() {
    let rules =
        |name, text: &'static str| Case { name, files: Box::leak(Box::new([(RULES, Some(text.as_bytes()))])), ..GOOD };
    assert_told!(
        "wrong_rules",
        &[
            rules("not YAML", "statuses:\n  In Progress: { onPass: Done\n  Review: {}\n"),
            rules("a tab as indentation", "statuses:\n\tIn Progress:\n\t\tonPass: Done\n"),
            rules(
                "the same column twice",
                "statuses:\n  In Progress: { onPass: Review }\n  In Progress: { onPass: Done }\n"
            ),
            rules("an empty file", ""),
            rules("a list", "- In Progress\n- Review\n"),
            rules("columns without statuses", "In Progress:\n  onPass: Review\n"),
            rules("statuses is a list", "statuses:\n  - In Progress\n"),
            rules("a rule is a text", "statuses:\n  In Progress: Review\n"),
            rules(
                "unknown keys",
                "version: 1\nstatuses:\n  In Progress:\n    onPas: Review\n    promt: x\n    colour: red\n"
            ),
            rules(
                "unknown columns",
                "statuses:\n  In Progres:\n    onPass: Review\n  Review:\n    onPass: Finished\n    onFail: need specs\n    onExhausted: Parked\n"
            ),
            rules(
                "wrong values",
                "createColumns: maybe\nstatuses:\n  In Progress:\n    prompt: [a]\n    onPass:\n    maxAttempts: 0\n    k: many\n    require: -1\n    threshold: 2\n    evidence: [diff]\n    requireChanges: 1\n    redGreen: sometimes\n"
            ),
            Case {
            name: "more required than selected, by rule and settings together",
            files: &[(RULES, Some(b"statuses:\n  Review: { require: 6 }\n  In Progress:\n    prompt: x\n    k: 2\n  Backlog: { k: 7, require: 7 }\n"))],
            args: &["--k-req", "3"],
            ..GOOD
        },
        rules("more required than selected", "statuses:\n  In Progress:\n    k: 2\n    require: 3\n"),
            rules(
                "wrong hooks",
                "statuses:\n  In Progress:\n    beforeTransition: ./check.sh\n    afterTransition: { shell: a, js: b }\n  Review:\n    beforeTransition: { python: x.py }\n    afterTransition: { js: '' }\n"
            ),
            rules(
                "a ring of two",
                "statuses:\n  In Progress: { onFail: Review }\n  Review: { onFail: In Progress, onPass: Done }\n"
            ),
            rules(
                "a ring of three behind a way in",
                "statuses:\n  Backlog: { onFail: In Progress }\n  In Progress: { onFail: Review }\n  Review: { onFail: Needs Specs }\n  Needs Specs: { onFail: In Progress }\n"
            ),
            rules("prompt and promptFile", "statuses:\n  In Progress:\n    prompt: a\n    promptFile: tests.txt\n"),
            rules(
                "files that are not there",
                "statuses:\n  In Progress:\n    promptFile: prompts/work.md\n    beforeTransition: { shell: ./hooks/check.sh --fast }\n    afterTransition: { js: hooks/notify.mjs }\n"
            ),
            rules(
                "what is wrong in it, and what is not there, by lines",
                "onEvent: { shell: ./none.sh }\nstatuses:\n  In Progress:\n    onPass: Dnoe\n    promptFile: none.md\n    k: 1\n    require: 2\n    colour: red\n"
            ),
            Case {
                name: "an empty prompt file",
                files: &[
                    (RULES, Some(b"statuses:\n  In Progress:\n    onPass: Done\n    promptFile: work.md\n")),
                    ("work.md", Some(b"\xef\xbb\xbf\n")),
                ],
                ..GOOD
            },
            Case {
                name: "not UTF-8",
                files: &[(RULES, Some(b"statuses:\n  In Progress: { prompt: \"gr\xfc\xdfe\" }\n"))],
                ..GOOD
            },
        ]
    );
}

#[test]
fn wrong_test_lines() {
    let tests =
        |name, text: &'static str| Case { name, files: Box::leak(Box::new([(TESTS, Some(text.as_bytes()))])), ..GOOD };
    assert_told!(
        "wrong_test_lines",
        &[
            tests(
                "every kind of wrong line",
                "# fine\n\nincludes:\nregex:/(/\nregex:/a/q\nregex:a\nregex:/a\nregex://\nincludes[]:x\nincludes[Message]:x\nincludes[../x]:x\nshell[message]:true\ncontains:x\nIncludes:x\njust words\n"
            ),
            tests(
                "headers",
                "@a @b words :: includes:x\n@ä! words :: includes:x\nwords::includes:x\n#tag words :: includes:x\n@name words :: include:x\nwords :: includes[src/**:x\n"
            ),
            tests("the same id twice", "@made a :: includes:x\nincludes:y\nb @made :: includes:z\nincludes:y\n"),
            tests("a glob that is wrong", "includes[src/[a]:x\nexcludes[{a]:x\n"),
            Case { name: "not UTF-8", files: &[(TESTS, Some(b"includes:ok\nincludes:\xff\n"))], ..GOOD },
        ]
    );
}

#[test]
fn missing_files() {
    assert_told!(
        "missing_files",
        &[
            Case { name: "no board", files: &[(BOARD, None)], ..GOOD },
            Case { name: "a board that is named", args: &["--source", "kanban.md"], ..GOOD },
            Case { name: "a board that a variable names", env: &[("KANBAN_SOURCE", "plan/board.md")], ..GOOD },
            Case { name: "no rules", files: &[(RULES, None)], ..GOOD },
            Case { name: "no tests", files: &[(TESTS, None)], ..GOOD },
            Case { name: "a tests file without a test", files: &[(TESTS, Some(b"# includes:later\n\n"))], ..GOOD },
            Case { name: "neither rules nor tests", files: &[(RULES, None), (TESTS, None)], ..GOOD },
            Case { name: "tests that are named", args: &["--tests", "checks/tests.txt"], ..GOOD },
            Case { name: "rules that are a folder", args: &["--transitions", "."], ..GOOD },
            Case { name: "no config", args: &["--config", "none.yaml"], ..GOOD },
            Case { name: "a config that is a folder", args: &["--config", "."], ..GOOD },
            Case { name: "no workspace", args: &["--workspace", "elsewhere"], ..GOOD },
            Case { name: "a workspace that is a file", args: &["--workspace", "board.md"], ..GOOD },
        ]
    );
}

#[test]
fn wrong_settings() {
    let config =
        |name, text: &'static str| Case { name, files: Box::leak(Box::new([(CONFIG, Some(text.as_bytes()))])), ..GOOD };
    assert_told!(
        "wrong_settings",
        &[
            config("unknown keys", "kmin: 5\ncodex:\n  arg: x\nstatuses: {}\n"),
            config("not YAML", "kMin: 5\n kReq: 3\n"),
            config("not a mapping", "- kMin\n"),
            config("values for variables", "env: [OWN=secret, \"! HOME\"]\n"),
            config("wrong kinds", "model: [a]\ncodex:\n  args: \"-c 'a\"\nenv: {GH_TOKEN: x}\nkMin:\n"),
            Case { name: "not UTF-8", files: &[(CONFIG, Some(b"# one\nmodel: \xff\n"))], ..GOOD },
            Case {
                name: "from everywhere at once",
                files: &[(CONFIG, Some(b"kMin: 0\nthreshold: high\n"))],
                env: &[("REASONING_EFFORT", "xhigh"), ("KANBAN_GRACE", "5"), ("ALLOW_SHELL_TESTS", "perhaps")],
                args: &["--max-cards", "0", "--format", "yaml", "--watch=2", "--mmr-lambda", "-1"],
            },
            Case { name: "more required than selected", args: &["--k-req", "6"], ..GOOD },
            Case {
                name: "settings and inputs are told one after the other",
                files: &[(RULES, Some(b"{"))],
                args: &["--k-min", "x"],
                ..GOOD
            },
        ]
    );
}

#[test]
fn boards_that_cannot_be_worked() {
    let board =
        |name, text: &'static str| Case { name, files: Box::leak(Box::new([(BOARD, Some(text.as_bytes()))])), ..GOOD };
    assert_told!(
        "boards_that_cannot_be_worked",
        &[
            board("an empty file", ""),
            board("a table", "# Plan\n\n| Todo | Done |\n|---|---|\n| a | b |\n"),
            board("a list without headings", "- [ ] a\n- [ ] b\n"),
            Case { name: "not UTF-8", files: &[(BOARD, Some(b"## Todo\n\n- [ ] gr\xfcn\n"))], ..GOOD },
            Case { name: "a folder", args: &["--source", ".", "--provider", "markdown"], ..GOOD },
            Case { name: "markdown that is no folder of cards", args: &["--provider", "file"], ..GOOD },
            Case {
                name: "data that is no list",
                files: &[("tasks.json", Some(b"{\n  \"tasks\": [\n    {\"id\": 1,}\n  ]\n}\n"))],
                args: &["--source", "tasks.json"],
                ..GOOD
            },
            Case {
                name: "a wrong configuration of Backlog.md",
                files: &[("backlog/config.yml", Some(b"statuses: [a\n"))],
                args: &["--source", "backlog"],
                ..GOOD
            },
            Case { name: "the github provider", args: &["--provider", "github", "--source", "me/1"], ..GOOD },
        ]
    );
}
