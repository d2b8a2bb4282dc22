//! What is wrong with settings is told with its place, all at once.

use super::*;
use crate::failure::Kind;

/// As the user sees it from the current folder.
const CONFIG: &str = "../conf/kanban-codex-exec.yaml";

/// Values that are out of range or of the wrong kind, and what is said of them. Settings that take any text have none.
#[rustfmt::skip]
const WRONG: &[(&str, &str, &str)] = &[
    ("provider", "trello", "`trello` is not one of markdown, file, github"),
    ("source", "none.md", "none.md: no such board"),
    ("next", "maybe", "`maybe` is not true or false"),
    ("workspace", "none", "none: no such folder"),
    ("kMin", "0", "`0` is not a number from 1 to 1000"),
    ("kReq", "three", "`three` is not a number from 1 to 1000"),
    ("threshold", "1.5", "`1.5` is not a number from 0 to 1"),
    ("mmrLambda", "-0.1", "`-0.1` is not a number from 0 to 1"),
    ("allowShellTests", "maybe", "`maybe` is not true or false"),
    ("reasoningEffort", "xhigh", "`xhigh` is not one of low, medium, high"),
    ("sandbox", "read-only", "`read-only` is not true or false"),
    ("attemptLimit", "5", "`5` is not a time such as 30s, 5m or 1h 30m"),
    ("startLimit", "-5s", "`-5s` is not a time such as 30s, 5m or 1h 30m"),
    ("silenceLimit", "long", "`long` is not a time such as 30s, 5m or 1h 30m"),
    ("testLimit", "5x", "`5x` is not a time such as 30s, 5m or 1h 30m"),
    ("hookLimit", "1.2.3s", "`1.2.3s` is not a time such as 30s, 5m or 1h 30m"),
    ("grace", "5", "`5` is not a time such as 30s, 5m or 1h 30m"),
    ("watch", "2", "`2` is not true or false"),
    ("pollInterval", "5", "`5` is not a time such as 30s, 5m or 1h 30m"),
    ("maxCards", "0", "`0` is not a number from 1 up"),
    ("maxAttempts", "1001", "`1001` is not a number from 1 to 1000"),
    ("maxDuration", "5", "`5` is not a time such as 30s, 5m or 1h 30m"),
    ("maxTokens", "1k", "`1k` is not a number from 1 up"),
    ("maxFailures", "-1", "`-1` is not a number from 1 up"),
    ("budgetWindow", "week", "`week` is not a time such as 30s, 5m or 1h 30m"),
    ("infrastructureLimit", "0", "`0` is not a number from 1 to 1000"),
    ("backoff", "5", "`5` is not a time such as 30s, 5m or 1h 30m"),
    ("failOnBounce", "maybe", "`maybe` is not true or false"),
    ("drainedExitCode", "126", "`126` is not a number from 0 to 125"),
    ("format", "yaml", "`yaml` is not one of human, json"),
    ("logLevel", "loud", "`loud` is not one of error, warn, info, debug, trace"),
];

fn row(key: &str) -> &'static Setting {
    TABLE.iter().find(|row| row.key == key).unwrap()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

#[test]
fn what_is_wrong_is_told_in_the_order_of_the_lines() {
    let text = "grace: 5\nnonsense: 1\nkMin: 0\nfile: { keys: { what: x } }\ncolor: blue\n";
    let problems = World::new().config(text).flag("k-req", "0").problems().0;
    let places: Vec<&str> = problems.iter().map(|problem| problem.split(": ").next().unwrap_or_default()).collect();
    let lines = ["1:1", "2:1", "3:1", "4:9", "5:1"].map(|place| format!("{CONFIG}:{place}"));
    assert_eq!(places, ["--k-req"].into_iter().chain(lines.iter().map(String::as_str)).collect::<Vec<_>>());
}

#[test]
fn every_wrong_value_is_told_with_its_origin_and_all_at_once() {
    for origin in ORIGINS {
        let mut world = World::new();
        let mut file = String::new();
        let mut expected = Vec::new();
        for (at, (key, value, text)) in WRONG.iter().enumerate() {
            let row = row(key);
            let text = match (origin, *key) {
                (Origin::File, "source" | "workspace") => format!("../conf/{text}"),
                (Origin::File, key) => text.replacen('`', &format!("`{key}: "), 1),
                _ => (*text).to_owned(),
            };
            expected.push(match origin {
                Origin::Flag => format!("--{}: {text}", row.flag),
                Origin::Env => format!("{}: {text}", row.env),
                Origin::File => format!("{CONFIG}:{}:1: {text}", at + 1),
            });
            file.push_str(&entry(row, value));
            world = match origin {
                Origin::File => world,
                Origin::Flag | Origin::Env => world.give(origin, row, value),
            };
        }
        if origin == Origin::File {
            world = world.config(&file);
        }
        assert_eq!(sorted(world.problems().0), sorted(expected), "by {origin:?}");
    }
}

#[test]
fn an_empty_text_is_no_value_but_lists_may_be_empty() {
    for origin in [Origin::Flag, Origin::File] {
        let (mut world, mut file, mut expected) = (World::new(), String::new(), Vec::new());
        for row in TABLE {
            if matches!(row.form, Form::Value(_) | Form::Switch) {
                let line = file.lines().count() + 1;
                expected.push(match origin {
                    Origin::File => {
                        format!("{CONFIG}:{line}:1: `{}` has no value: fill it in or remove it", row.key)
                    }
                    _ => format!("--{}: is empty", row.flag),
                });
            }
            file.push_str(&entry(row, "''"));
            if origin == Origin::Flag {
                world = world.give(origin, row, "");
            }
        }
        if origin == Origin::File {
            world = world.config(&file);
        }
        assert_eq!(sorted(world.problems().0), sorted(expected), "by {origin:?}");
    }
}

#[test]
fn no_time_at_all_is_out_of_range_but_for_the_grace() {
    for row in TABLE.iter().filter(|row| row.form == Form::Value("TIME")) {
        for origin in ORIGINS {
            let world = World::new().give(origin, row, "0s");
            if row.key == "grace" {
                assert_eq!(world.settings().grace, Duration::ZERO);
                continue;
            }
            let told = match origin {
                Origin::Flag => format!("--{}: `0s`", row.flag),
                Origin::Env => format!("{}: `0s`", row.env),
                Origin::File => format!("{CONFIG}:1:1: `{}: 0s`", row.key),
            };
            assert_eq!(world.problems().0, [format!("{told} is not a time longer than 0s")], "by {origin:?}");
        }
    }
    assert_eq!(World::new().flag("budget-window", "0h 0m").problems().0.len(), 1);
}

#[test]
fn problems_of_the_config_file_point_at_line_and_column() {
    for (text, place, said) in [
        ("kReq: x\n", ":1:1", "`kReq: x` is not a number from 1 to 1000"),
        ("# why\n\nkReq: 2\nkMin: x\n", ":4:1", "`kMin: x` is not a number from 1 to 1000"),
        ("codex:\n  args: 'a\n", ":3:1", "not valid YAML: "),
        ("codex:\n  args: \"a 'b\"\n", ":2:3", "`codex.args` has an unclosed quote"),
        ("model: [a, b]\n", ":1:1", "`model` must be one value"),
        ("model:\n", ":1:1", "`model` has no value: fill it in or remove it"),
        ("kMin: {a: 1}\n", ":1:1", "`kMin` must be one value"),
        ("env: [{a: 1}]\n", ":1:1", "`env` must be a list of texts, or one text"),
        ("kMin: 6\nkMin: 7\n", "", "not valid YAML: duplicate"),
        ("kMin: 6\n\nkMin: 7\n", ":3:1", "not valid YAML: duplicate"),
        ("codex: [--a]\n", ":1:1", "`codex` must be a mapping of args"),
        ("model: m\nfile: x\n", ":2:1", "`file` must be a mapping of keys"),
        ("codex:\n", ":1:1", "`codex` must be a mapping of args"),
        ("\u{feff}kMin: x\n", ":1:1", "`kMin: x` is not a number"),
        ("- kMin\n", ":1:1", "a mapping of settings is expected"),
        ("kMin\n", ":1:1", "a mapping of settings is expected"),
    ] {
        let world = World::new().config(text);
        let (problems, _) = world.problems();
        let expected = format!("{CONFIG}{place}: {said}");
        let matches = if place.is_empty() { problems[0].contains(said) } else { problems[0].starts_with(&expected) };
        assert!(matches && problems.len() == 1, "{text:?}: {problems:?}, not {expected}");
    }
}

#[test]
fn unknown_keys_are_told_with_what_was_probably_meant() {
    for (text, place, said, hint) in [
        ("kmin: 5\n", "1:1", "unknown setting `kmin`", "did you mean `kMin`?"),
        ("modle: x\n", "1:1", "unknown setting `modle`", "did you mean `model`?"),
        ("k-req: 2\n", "1:1", "unknown setting `k-req`", "did you mean `kReq`?"),
        ("cache_dir: x\n", "1:1", "unknown setting `cache_dir`", "did you mean `cacheDir`?"),
        ("codex:\n  arg: x\n", "2:3", "unknown setting `codex.arg`", "did you mean `codex.args`?"),
        ("statuses: {}\n", "1:1", "unknown setting `statuses`", "`kanban-codex-exec run --help` lists the settings"),
    ] {
        let world = World::new().config(text);
        let (problems, hints) = world.problems();
        let place = format!("{CONFIG}:{place}: {said}");
        assert_eq!((problems, hints), (vec![place], vec![hint.to_owned()]), "{text:?}");
    }
}

#[test]
fn more_required_tests_than_selected_ones_are_refused_where_they_were_asked_for() {
    type Case = (fn(World) -> World, &'static str, &'static str);
    let cases: [Case; 6] = [
        (|w| w.flag("k-req", "6"), "--k-req", "K_REQ (6) is more than K_MIN (5)"),
        (|w| w.env("K_REQ", "6"), "K_REQ", "K_REQ (6) is more than K_MIN (5)"),
        (|w| w.env("K_MIN", "2"), "K_MIN", "K_REQ (3) is more than K_MIN (2)"),
        (|w| w.flag("k-min", "2").env("K_REQ", "4"), "K_REQ", "K_REQ (4) is more than K_MIN (2)"),
        (|w| w.config("kMin: 9\nkReq: 4\n").env("K_MIN", "2"), "FILE:2:1", "K_REQ (4) is more than K_MIN (2)"),
        (|w| w.config("kMin: 2\n"), "FILE:1:1", "K_REQ (3) is more than K_MIN (2)"),
    ];
    for (give, place, text) in cases {
        let world = give(World::new());
        let place = place.replace("FILE", CONFIG);
        let (problems, hints) = world.problems();
        assert_eq!(problems, [format!("{place}: {text}: no card could ever pass")]);
        assert_eq!(hints, ["K_MIN tests are selected, K_REQ of them must pass"]);
    }
    let equal = World::new().flag("k-req", "5").settings();
    assert_eq!((equal.k, equal.require), (5, 5));
}

#[test]
fn a_config_file_that_is_named_must_be_there() {
    let mut world = World::new();
    world.given.config = Some("none.yaml".into());
    let (problems, _) = world.problems();
    assert_eq!(problems, ["--config: none.yaml: no such file"]);
    world.given.config = Some("a".into());
    assert_eq!(world.problems().0, ["--config: a: is a folder, not a file"]);
}

#[test]
fn a_variable_that_is_not_utf_8_is_not_dropped() {
    use std::os::unix::ffi::OsStringExt;
    for row in TABLE {
        let mut world = World::new();
        world.given.env.insert(row.env.into(), OsString::from_vec(b"t\xff".to_vec()));
        assert_eq!(
            world.problems(),
            (vec![format!("{}: is not UTF-8", row.env)], vec!["set it anew, or `unset` it".to_owned()])
        );
    }
}

#[test]
fn words_with_an_unclosed_quote_are_told() {
    let (problems, _) = World::new().flag("codex-args", "-c 'a").problems();
    assert_eq!(problems, ["--codex-args: `-c 'a` has an unclosed quote"]);
}

#[test]
fn without_a_board_the_error_says_what_was_looked_for_and_where() {
    let world = World::new();
    fs::remove_file(world.given.folder.join("board.md")).unwrap();
    let (problems, hints) = world.problems();
    let text =
        format!("--source: no board given, and no board.md, TODO.md or backlog/ in {}", world.given.folder.display());
    assert_eq!(
        (problems, hints),
        (vec![text], vec!["name the board with --source FILE or KANBAN_SOURCE; `init` writes one".to_owned()])
    );
    // A command that only reads tests needs none.
    assert!(Settings::resolve(&world.given, Need::History).is_ok());
}

#[test]
fn a_folder_is_no_markdown_board() {
    let world = World::new().flag("source", "a").flag("provider", "markdown");
    assert_eq!(world.problems().0, ["--source: a: is a folder, not a markdown board"]);
    let file = World::new().flag("source", "a").settings();
    assert_eq!(file.provider, provider::Kind::File);
}

#[test]
fn a_file_of_data_is_no_markdown_board_either() {
    for (name, kind) in
        [("t.json", provider::Kind::File), ("t.yml", provider::Kind::File), ("t.txt", provider::Kind::Markdown)]
    {
        let world = World::new().flag("source", name);
        fs::write(world.given.folder.join(name), "[]\n").unwrap();
        assert_eq!(world.settings().provider, kind, "{name}");
    }
}

#[test]
fn the_keys_of_data_are_a_list_or_a_mapping() {
    let keys = Keys::new(&["id=key".into(), "status=state".into()]).unwrap();
    assert_eq!(World::new().flag("file-keys", "id=key, status=state").settings().file_keys, keys);
    assert_eq!(World::new().config("file: { keys: { id: key, status: state } }\n").settings().file_keys, keys);
    let (problems, _) = World::new().config("file:\n  keys: { colour: red }\n").problems();
    let parts = "id, title, status, body, labels, dependencies, priority, ordinal";
    assert_eq!(
        problems,
        [format!("../conf/kanban-codex-exec.yaml:2:3: `colour=red`: a name for one of {parts} is expected")]
    );
}

#[test]
fn a_cache_dir_that_is_or_holds_the_workspace_is_refused_wherever_it_is_named() {
    type Case = (fn(World) -> World, &'static str, &'static str);
    // `link` leads to the folder that the user stands in, the workspace unless another is named.
    let refused: [Case; 9] = [
        (|w| w.flag("cache-dir", "."), "--cache-dir", "is"),
        (|w| w.env("CACHE_DIR", "../here"), "CACHE_DIR", "is"),
        (|w| w.env("CACHE_DIR", "none/made/../.."), "CACHE_DIR", "is"),
        (|w| w.env("CACHE_DIR", "../link"), "CACHE_DIR", "is"),
        (|w| w.env("CACHE_DIR", "../link/a").flag("workspace", "a/../a"), "CACHE_DIR", "is"),
        (|w| w.config("cacheDir: ../here\n"), "FILE:1:1", "is"),
        (|w| w.config("cacheDir: ..\n"), "FILE:1:1", "holds"),
        (|w| w.flag("cache-dir", ".").flag("workspace", "a"), "--cache-dir", "holds"),
        (|w| w.flag("cache-dir", "/"), "--cache-dir", "holds"),
    ];
    for need in [Need::Board, Need::History] {
        for (number, (give, place, is)) in refused.iter().enumerate() {
            let world = give(linked());
            let failure = Settings::resolve(&world.given, need).unwrap_err();
            let told = format!("{failure}");
            let start = format!("error: {}: CACHE_DIR /", place.replace("FILE", CONFIG));
            let expected = told.starts_with(&start) && told.contains(&format!(" {is} the workspace /"));
            assert!(
                failure.kind == Kind::Usage && expected && told.contains("hint: name a folder"),
                "{number}: {told}"
            );
        }
    }
    let fine: [fn(World) -> World; 7] = [
        |w| w,
        |w| w.flag("cache-dir", "a"),
        |w| w.flag("cache-dir", "../conf"),
        |w| w.flag("cache-dir", "../her"),
        |w| w.flag("cache-dir", "../link/b/none"),
        |w| w.flag("cache-dir", ".").flag("workspace", "../conf"),
        |w| w.flag("cache-dir", "a/b").flag("workspace", "a"),
    ];
    for (number, give) in fine.iter().enumerate() {
        assert!(give(linked()).resolve().is_ok(), "{number}");
    }
}

#[test]
fn a_cache_dir_that_is_a_folder_of_the_project_is_refused_and_one_that_a_run_left_is_not() {
    let with = |file: &str, text: &str| {
        let world = World::new();
        let path = world.given.folder.join("src").join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        world.flag("cache-dir", "src")
    };
    for (file, text, is_refused) in [
        ("main.rs", "fn main() {}\n", true),
        (".gitignore", "*.o\n", true),
        (".gitignore", "*\n", false),
        ("board", "board.md", false),
        (".kanban-codex-exec-0123456789abcdef-x", "", false),
    ] {
        let refused = with(file, text).resolve().err().map(|failure| failure.to_string());
        let told = "error: --cache-dir: CACHE_DIR /";
        let expected =
            refused.iter().all(|told_so| told_so.starts_with(told) && told_so.contains("is a folder of the project"));
        assert!(refused.is_some() == is_refused && expected, "{file}: {refused:?}");
    }
    let elsewhere = with("main.rs", "").flag("cache-dir", "src/new");
    assert!(elsewhere.resolve().is_ok());
}

fn linked() -> World {
    let world = World::new();
    std::os::unix::fs::symlink(&world.given.folder, world.root.path().join("link")).unwrap();
    world
}
