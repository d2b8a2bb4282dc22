#![expect(clippy::disallowed_methods, reason = "the tests lay out the files that settings are read from")]

mod children;
mod config;
mod problems;

use std::fs;

use super::table::{Form, Setting, TABLE};
use super::*;

/// A project in `here`, where the user stands, and a config file in `conf`.
struct World {
    root: tempfile::TempDir,
    given: Given,
}

impl World {
    fn new() -> World {
        let root = tempfile::tempdir().unwrap();
        for folder in ["here", "conf"] {
            for below in ["", "a", "b"] {
                fs::create_dir_all(root.path().join(folder).join(below)).unwrap();
            }
            for board in ["board.md", "a.md", "b.md"] {
                fs::write(root.path().join(folder).join(board), "## Todo\n").unwrap();
            }
        }
        let folder = fs::canonicalize(root.path().join("here")).unwrap();
        World { root, given: Given { folder, ..Given::default() } }
    }

    fn flag(mut self, flag: &str, text: &str) -> World {
        self.given.flags.insert(flag.to_owned(), text.to_owned());
        self
    }

    fn env(mut self, name: &str, text: &str) -> World {
        self.given.env.insert(name.into(), text.into());
        self
    }

    fn config(mut self, text: &str) -> World {
        let path = self.root.path().join("conf/kanban-codex-exec.yaml");
        fs::write(&path, text).unwrap();
        self.given.config = Some("../conf/kanban-codex-exec.yaml".into());
        self
    }

    fn give(self, origin: Origin, row: &Setting, text: &str) -> World {
        match origin {
            Origin::Flag => self.flag(row.flag, text),
            Origin::Env => self.env(row.env, text),
            Origin::File => self.config(&entry(row, text)),
        }
    }

    fn resolve(&self) -> Result<Settings, Failure> {
        Settings::resolve(&self.given, Need::Board)
    }

    #[track_caller]
    fn settings(&self) -> Settings {
        self.resolve().unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The problems, a line each, and the hints.
    #[track_caller]
    fn problems(&self) -> (Vec<String>, Vec<String>) {
        let failure = self.resolve().unwrap_err();
        assert_eq!(failure.kind.code(), 2);
        (failure.error.to_string().lines().map(|line| line.trim().to_owned()).collect(), failure.hints)
    }

    /// Without the world's own name, the parts `..` resolved.
    fn place(&self, path: &Path) -> String {
        let mut place = PathBuf::new();
        for part in path.components() {
            match part {
                std::path::Component::ParentDir => drop(place.pop()),
                part => place.push(part),
            }
        }
        let root = fs::canonicalize(self.root.path()).unwrap();
        place.strip_prefix(&root).unwrap_or(&place).display().to_string()
    }
}

/// A setting as a line of the config file; nested where its key is.
fn entry(row: &Setting, text: &str) -> String {
    match row.key.split_once('.') {
        Some((outer, inner)) => format!("{outer}:\n  {inner}: {text}\n"),
        None => format!("{}: {text}\n", row.key),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    File,
    Env,
    Flag,
}

/// From weak to strong.
const ORIGINS: [Origin; 3] = [Origin::File, Origin::Env, Origin::Flag];

/// What a setting became.
enum Seen {
    Text(fn(&Settings) -> String),
    /// Relative values start at the folder of their origin.
    Path(fn(&Settings) -> &Path),
}

use Seen::{Path as P, Text as T};

fn maybe<V: ToString>(value: Option<V>) -> String {
    value.map_or("none".to_owned(), |value| value.to_string())
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}

/// Which of the samples the keys come from.
fn named(settings: &Settings) -> String {
    let is = |pair: &&str| Keys::new(&[(*pair).to_owned()]) == Ok(settings.file_keys.clone());
    ["id=key", "status=state"].iter().find(|pair| is(pair)).map_or(String::new(), |pair| (*pair).to_owned())
}

/// Key, default as it is seen, two other values, and where they are seen.
#[rustfmt::skip]
const SAMPLES: &[(&str, &str, &str, &str, Seen)] = &[
    ("provider", "markdown", "file", "markdown", T(|s| format!("{:?}", s.provider).to_lowercase())),
    ("source", "here/board.md", "a.md", "b.md", P(|s| s.source.path().unwrap())),
    ("next", "false", "true", "false", T(|s| s.next.to_string())),
    ("file.keys", "", "id=key", "status=state", T(named)),
    ("transitions", "here/transitions.yaml", "a.yaml", "b/c.yaml", P(|s| &s.transitions)),
    ("workspace", "here", "a", "b", P(|s| &s.workspace)),
    ("cacheDir", "here/.cache/kanban-codex-exec", "a", "new/cache", P(|s| &s.cache_dir)),
    ("keepAttempts", "20", "1", "2", T(|s| s.keep_attempts.to_string())),
    ("tests", "here/tests.txt", "a.txt", "../b.txt", P(|s| &s.tests)),
    ("kMin", "5", "7", "8", T(|s| s.k.to_string())),
    ("kReq", "3", "1", "2", T(|s| s.require.to_string())),
    ("threshold", "0.15", "0.25", "1", T(|s| s.threshold.to_string())),
    ("mmrLambda", "0.92", "0", "0.5", T(|s| s.mmr_lambda.to_string())),
    ("allowShellTests", "false", "true", "false", T(|s| s.allow_shell_tests.to_string())),
    ("shellAllowlist", "", "cargo,npm test", "git", T(|s| s.shell_allowlist.join(","))),
    ("codexBin", "codex", "codex-a", "codex-b", T(|s| s.codex.bin.clone())),
    ("model", "gpt-5-codex", "model-a", "model-b", T(|s| s.codex.model.clone())),
    ("reasoningEffort", "high", "low", "medium", T(|s| s.codex.effort.clone())),
    ("sandbox", "false", "true", "false", T(|s| s.codex.sandbox.to_string())),
    ("codex.args", "", "--search -c x=1", "-p night", T(|s| s.codex.args.join(" "))),
    ("env", "", "GH_TOKEN,OTHER", "THIRD", T(|s| s.env.given.join(","))),
    ("jsRuntime", "node", "bun", "deno", T(|s| s.js_runtime.clone())),
    ("attemptLimit", "3600s", "11s", "12s", T(|s| seconds(s.codex.attempt_limit))),
    ("startLimit", "120s", "11s", "12s", T(|s| seconds(s.codex.start_limit))),
    ("silenceLimit", "600s", "11s", "12s", T(|s| seconds(s.codex.silence_limit))),
    ("testLimit", "300s", "11s", "12s", T(|s| seconds(s.test_limit))),
    ("hookLimit", "60s", "11s", "12s", T(|s| seconds(s.hook_limit))),
    ("grace", "3s", "11s", "12s", T(|s| { assert_eq!(s.grace, s.codex.grace); seconds(s.grace) })),
    ("watch", "false", "true", "false", T(|s| s.watch.to_string())),
    ("pollInterval", "5s", "11s", "12s", T(|s| seconds(s.poll_interval))),
    ("maxCards", "none", "1", "2", T(|s| maybe(s.guards.max_cards))),
    ("maxAttempts", "3", "1", "2", T(|s| s.guards.max_attempts.to_string())),
    ("maxDuration", "none", "11s", "12s", T(|s| maybe(s.guards.max_duration.map(seconds)))),
    ("maxTokens", "none", "1000", "2000", T(|s| maybe(s.guards.max_tokens))),
    ("maxCardTokens", "none", "1000", "2000", T(|s| maybe(s.guards.max_card_tokens))),
    ("maxCardTime", "none", "11s", "12s", T(|s| maybe(s.guards.max_card_time.map(seconds)))),
    ("maxFailures", "none", "1", "2", T(|s| maybe(s.guards.max_failures))),
    ("budgetWindow", "none", "11s", "12s", T(|s| maybe(s.guards.budget_window.map(seconds)))),
    ("infrastructureLimit", "5", "1", "2", T(|s| s.infrastructure_limit.to_string())),
    ("backoff", "2s", "11s", "12s", T(|s| seconds(s.backoff))),
    ("failOnBounce", "false", "true", "false", T(|s| s.fail_on_bounce.to_string())),
    ("drainedExitCode", "0", "10", "125", T(|s| s.drained_exit_code.to_string())),
    ("format", "human", "json", "human", T(|s| format!("{:?}", s.format).to_lowercase())),
    ("color", "auto", "always", "never", T(|s| format!("{:?}", s.color).to_lowercase())),
    ("logLevel", "info", "error", "trace", T(|s| s.log_level.clone())),
];

impl Seen {
    fn of(&self, world: &World) -> String {
        let settings = world.settings();
        match self {
            T(text) => text(&settings),
            P(path) => world.place(path(&settings)),
        }
    }

    fn expected(&self, world: &World, text: &str, origin: Origin) -> String {
        let folder = if origin == Origin::File { "conf" } else { "here" };
        match self {
            T(_) => text.to_owned(),
            P(_) => world.place(&fs::canonicalize(world.root.path()).unwrap().join(folder).join(text)),
        }
    }
}

/// The rows of the table with their samples; a row without one is a gap in these tests.
fn rows()
-> impl Iterator<Item = (&'static Setting, &'static (&'static str, &'static str, &'static str, &'static str, Seen))> {
    TABLE.iter().map(|row| {
        let sample = SAMPLES.iter().find(|(key, ..)| *key == row.key);
        (row, sample.unwrap_or_else(|| panic!("`{}` has no sample here", row.key)))
    })
}

#[test]
fn every_setting_has_its_default_and_is_set_by_each_of_the_three() {
    for (row, (key, default, a, b, seen)) in rows() {
        assert_eq!(seen.of(&World::new()), *default, "{key} by default");
        for origin in ORIGINS {
            for text in [a, b] {
                let world = World::new().give(origin, row, text);
                assert_eq!(seen.of(&world), seen.expected(&world, text, origin), "{key}: {text} by {origin:?}");
            }
        }
    }
}

#[test]
fn a_flag_beats_a_variable_beats_the_config_file() {
    for (row, (key, _, a, b, seen)) in rows() {
        for (weak, strong) in [(Origin::File, Origin::Env), (Origin::File, Origin::Flag), (Origin::Env, Origin::Flag)] {
            for (first, second) in [(a, b), (b, a)] {
                let world = World::new().give(weak, row, first).give(strong, row, second);
                let expected = seen.expected(&world, second, strong);
                assert_eq!(seen.of(&world), expected, "{key}: {second} by {strong:?} over {first} by {weak:?}");
            }
        }
    }
}

#[test]
fn an_empty_variable_is_not_given() {
    for (row, (key, default, a, _, seen)) in rows() {
        assert_eq!(seen.of(&World::new().env(row.env, "")), *default, "{key}");
        let world = World::new().config(&entry(row, a)).env(row.env, "");
        assert_eq!(seen.of(&world), seen.expected(&world, a, Origin::File), "{key} of the config file");
    }
}

#[test]
fn no_two_settings_share_a_name() {
    for name in [|row: &Setting| row.key, |row: &Setting| row.flag, |row: &Setting| row.env] {
        let mut names: Vec<_> = TABLE.iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }
    // Codex sets CODEX_SANDBOX itself in what it starts: it would switch on a runner that codex runs.
    assert!(TABLE.iter().all(|row| row.env != "CODEX_SANDBOX"));
}

#[test]
fn a_switch_is_written_in_many_ways() {
    for (text, expected) in [
        ("true", true),
        ("TRUE", true),
        ("1", true),
        ("yes", true),
        ("on", true),
        ("On", true),
        ("false", false),
        ("0", false),
        ("no", false),
        ("off", false),
        ("OFF", false),
    ] {
        assert_eq!(World::new().flag("watch", text).settings().watch, expected, "--watch={text}");
        assert_eq!(World::new().env("KANBAN_WATCH", text).settings().watch, expected, "KANBAN_WATCH={text}");
        assert_eq!(World::new().config(&format!("watch: {text}\n")).settings().watch, expected, "watch: {text}");
    }
}

#[test]
fn lists_are_sequences_or_one_text() {
    let args = |text: &str| World::new().config(text).settings().codex.args;
    for text in
        ["codex: {args: [-c, 'a=b c', 7]}", "codex: {args: \"-c 'a=b c' 7\"}", "codex.args: ['-c', 'a=b c', '7']"]
    {
        assert_eq!(args(text), ["-c", "a=b c", "7"], "{text}");
    }
    assert_eq!(args("codex: {args: []}"), [] as [&str; 0]);
    let list = |text: &str| World::new().config(text).settings().shell_allowlist;
    for text in ["shellAllowlist: [cargo, npm test]", "shellAllowlist: 'cargo, npm test,'"] {
        assert_eq!(list(text), ["cargo", "npm test"], "{text}");
    }
    // A whole line that holds a comma is one entry of a sequence.
    assert_eq!(list("shellAllowlist: ['printf a,b | wc -c']"), ["printf a,b | wc -c"]);
    let world = World::new().flag("codex-args", "-c 'a=\"b c\"' --search");
    assert_eq!(world.settings().codex.args, ["-c", "a=\"b c\"", "--search"]);
}

#[test]
fn times_are_written_as_people_write_them() {
    for (text, expected) in
        [("90s", "90s"), ("5m", "300s"), ("1h 30m", "5400s"), ("1h30m", "5400s"), ("2 minutes", "120s")]
    {
        let settings = World::new().flag("hook-limit", text).settings();
        assert_eq!(seconds(settings.hook_limit), expected, "{text}");
    }
    assert_eq!(World::new().env("KANBAN_BACKOFF", "20ms").settings().backoff, Duration::from_millis(20));
}

#[test]
fn paths_start_where_they_are_written() {
    let world = World::new().env("HOME", "/home/me");
    let cases = [
        ("./x/./y.txt", "here/x/y.txt", "conf/x/y.txt"),
        ("../x.txt", "x.txt", "x.txt"),
        ("/x.txt", "/x.txt", "/x.txt"),
        ("~/x.txt", "/home/me/x.txt", "/home/me/x.txt"),
        ("~x.txt", "here/~x.txt", "conf/~x.txt"),
    ];
    for (text, from_flag, from_file) in cases {
        let mut flag = World::new().flag("tests", text);
        flag.given.env = world.given.env.clone();
        assert_eq!(flag.place(&flag.settings().tests), from_flag, "--tests {text}");
        let mut file = World::new().config(&format!("tests: {text}\n"));
        file.given.env = world.given.env.clone();
        assert_eq!(file.place(&file.settings().tests), from_file, "tests: {text}");
    }
}

#[test]
fn codex_is_a_name_on_path_or_a_path() {
    for (text, from_flag, from_file) in [
        ("codex-next", "codex-next", "codex-next"),
        ("./codex", "here/codex", "conf/codex"),
        ("bin/codex", "here/bin/codex", "conf/bin/codex"),
        ("/opt/codex", "/opt/codex", "/opt/codex"),
    ] {
        let bin = |world: World| world.place(Path::new(&world.settings().codex.bin));
        assert_eq!(bin(World::new().flag("codex-bin", text)), from_flag, "--codex-bin {text}");
        assert_eq!(bin(World::new().config(&format!("codexBin: {text}\n"))), from_file, "codexBin: {text}");
    }
}

#[test]
fn the_config_file_is_looked_for_beside_the_board() {
    let mut world = World::new().config("kReq: 1\n");
    world.given.config = None;
    assert_eq!(world.settings().require, 3, "none in the current folder");
    let world = world.flag("source", "../conf/board.md");
    assert_eq!(world.settings().require, 1, "beside the board that a flag names");
    let mut world = World::new().config("kReq: 1\n").env("KANBAN_SOURCE", "../conf/board.md");
    world.given.config = None;
    assert_eq!(world.settings().require, 1, "beside the board that a variable names");
    assert_eq!(world.place(&world.settings().tests), "conf/tests.txt");
    fs::write(world.given.folder.join("kanban-codex-exec.yaml"), "kReq: 2\n").unwrap();
    world.given.env.clear();
    assert_eq!(world.settings().require, 2, "in the current folder");
    assert_eq!(World::new().config("# nothing\n").settings().require, 3, "an empty file sets nothing");
}

#[test]
fn a_board_is_found_by_its_usual_names() {
    let find = |names: &[&str]| {
        let world = World::new();
        fs::remove_file(world.given.folder.join("board.md")).unwrap();
        for name in names {
            match name.strip_suffix('/') {
                Some(folder) => fs::create_dir(world.given.folder.join(folder)).unwrap(),
                None => fs::write(world.given.folder.join(name), "").unwrap(),
            }
        }
        let settings = world.settings();
        (world.place(settings.source.path().unwrap()), settings.provider, settings.next)
    };
    let markdown = provider::Kind::Markdown;
    assert_eq!(find(&["board.md", "TODO.md", "backlog/"]), ("here/board.md".into(), markdown, false));
    assert_eq!(find(&["TODO.md", "backlog/"]), ("here/TODO.md".into(), markdown, true));
    assert_eq!(find(&["backlog/"]), ("here/backlog".into(), provider::Kind::File, false));
}

#[test]
fn a_project_is_no_path() {
    let world = || World::new().env("GH_TOKEN", "stronger").env("GITHUB_TOKEN", "weaker");
    for world in [
        // There is a folder `a`.
        world().flag("provider", "github").flag("source", "a/1"),
        world().env("KANBAN_PROVIDER", "github").env("KANBAN_SOURCE", "A/1"),
        world().config("provider: github\nsource: a/1\n"),
        world().env("KANBAN_SOURCE", "https://github.com/users/a/projects/1"),
    ] {
        let settings = world.settings();
        assert_eq!((settings.source.to_string(), settings.provider), ("github.com/a/1".into(), provider::Kind::GitHub));
        assert_eq!(world.place(&settings.tests), "here/tests.txt");
        let provider::Source::Project(access) = settings.source else { panic!("a path") };
        assert_eq!((access.token.text.as_str(), access.token.variable), ("stronger", "GH_TOKEN"));
    }
}

#[test]
fn next_item_mode_is_on_for_a_to_do_list_unless_it_is_said_otherwise() {
    let world = || {
        let world = World::new();
        fs::write(world.given.folder.join("todo.md"), "- [ ] a\n").unwrap();
        world.flag("source", "todo.md")
    };
    assert!(world().settings().next);
    assert!(!world().flag("next", "false").settings().next);
    assert!(!world().env("KANBAN_NEXT", "no").settings().next);
    assert!(World::new().flag("next", "true").settings().next);
}

#[test]
fn the_workspace_is_the_git_root_that_holds_the_board() {
    let world = World::new().flag("source", "a/board.md");
    fs::write(world.given.folder.join("a/board.md"), "## Todo\n").unwrap();
    let settings = world.settings();
    assert_eq!((world.place(&settings.workspace).as_str(), settings.in_git), ("here/a", false), "outside git");
    // A worktree's `.git` is a file.
    fs::write(world.given.folder.join(".git"), "gitdir: elsewhere\n").unwrap();
    let settings = world.settings();
    assert_eq!((world.place(&settings.workspace).as_str(), settings.in_git), ("here", true));
    assert_eq!(world.place(&settings.cache_dir), "here/.cache/kanban-codex-exec");
    assert_eq!(world.place(&settings.tests), "here/a/tests.txt", "beside the board");
    let settings = world.flag("workspace", "b").settings();
    assert!(settings.workspace.ends_with("here/b") && settings.in_git);
}
