//! `init`: what it writes is valid as it stands, whatever board is there, and nothing that is there changes.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Outcome, World, picture, program};

/// A folder with these files and nothing else.
fn folder(files: &[(&str, &str)]) -> World {
    let world = World::outside_git("");
    for name in ["board.md", "tests.txt", "transitions.yaml"] {
        fs::remove_file(world.repo(name)).unwrap();
    }
    files.iter().fold(world, |world, (name, text)| world.with(name, text))
}

fn repository(files: &[(&str, &str)]) -> World {
    let world = folder(files);
    world.git(&["init", "-q", "-b", "main"]);
    world
}

/// Every command that reads finds nothing to complain of, and a second `init` changes nothing.
#[track_caller]
fn assert_good(world: &World, args: &[&str]) -> Value {
    let before = picture(&world.repo(""));
    for command in ["print-plan", "dry-run", "board", "explain"] {
        let card = (command == "explain").then_some("KB-1");
        let args: Vec<&str> = [command].into_iter().chain(card).chain(args.iter().copied()).collect();
        let outcome = world.run(&args);
        let outcome =
            if command == "explain" && outcome.code == Some(2) { outcome.warns("no card") } else { outcome.exits(0) };
        assert!(command == "explain" || outcome.stderr.is_empty(), "{outcome}");
        assert!(!outcome.stdout.contains("warning"), "{outcome}");
    }
    let again: Vec<&str> = ["init"].into_iter().chain(args.iter().copied()).collect();
    world.run(&again).exits(0).says("kept");
    assert_eq!(picture(&world.repo("")).changes(&before), [] as [PathBuf; 0]);
    let plan: Vec<&str> = ["print-plan", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    serde_json::from_str(&world.run(&plan).exits(0).stdout).unwrap()
}

fn written(outcome: &Outcome) -> Vec<&str> {
    outcome.stdout.lines().filter_map(|line| line.strip_prefix("wrote     ")).collect()
}

#[test]
fn an_empty_folder_gets_a_board_and_what_it_needs() {
    let world = folder(&[]);
    let outcome = world.run(&["init"]).exits(0);
    let files: String = written(&outcome).iter().map(|name| format!("=== {name}\n{}\n", world.read(name))).collect();
    insta::assert_snapshot!("init_empty", format!("{}\n{files}", outcome.stdout));
    assert_eq!(assert_good(&world, &[])["cards"], json!([]));
}

#[test]
fn a_card_goes_through_what_was_written_to_its_end() {
    let world = repository(&[]);
    world.run(&["init"]).exits(0);
    world.edit(
        "board.md",
        "## In Progress\n\n",
        "## In Progress\n\n- [ ] KB-1 a first card\n- [ ] KB-2 another one @never\n\n",
    );
    world.write(
        "tests.txt",
        format!("{}@made first card :: includes[made/*.txt]:made for KB\n", world.read("tests.txt")),
    );
    let plan = assert_good(&world, &[]);
    assert_eq!((&plan["cards"][0]["verdict"], &plan["cards"][1]["verdict"]), (&json!("ready"), &json!("unverified")));
    world.run(&["run"]).exits(0).says("PROMOTED  KB-1 a first card: Review → Done").says("NOT RUN   KB-2");
    assert_eq!(world.places(), ["KB-2: Needs Specs", "KB-1: Done"]);
}

#[test]
fn an_obsidian_board_of_any_name_is_found_and_left_as_it_is() {
    let board = include_str!("../boards/001-obsidian-move/input.md");
    let world = repository(&[("Plan 7.md", board), ("README.md", "# Words\n\n- [ ] no card\n")]);
    let outcome = world.run(&["init"]).exits(0).says("board     Plan 7.md: Todo, Done");
    assert_eq!(written(&outcome), ["kanban-codex-exec.yaml", "transitions.yaml", "tests.txt", ".gitignore"]);
    assert_eq!(world.read("Plan 7.md"), board);
    let plan = assert_good(&world, &[]);
    assert_eq!(plan["cards"].as_array().unwrap().len(), 2, "both cards are in the column that may be begun");
    assert!(plan["cards"][0]["prompt"].as_str().unwrap().contains("Leave Plan 7.md, tests.txt, transitions.yaml and"));
}

#[test]
fn a_to_do_list_is_worked_item_by_item() {
    for name in ["TODO.md", "todo.md"] {
        let world = repository(&[(name, "# To do\n\n- [x] old\n- [ ] KB-1 first\n- [ ] KB-2 second\n")]);
        world.run(&["init"]).exits(0).says(&format!("board     {name}: Todo, Done"));
        let plan = assert_good(&world, &[]);
        assert_eq!(plan["cards"].as_array().unwrap().len(), 1, "{plan}");
        assert_eq!(plan["cards"][0]["title"], "KB-1 first");
        assert!(world.read("transitions.yaml").contains("  Todo:\n    prompt: |-\n"), "{name}");
    }
}

#[test]
fn a_file_of_tasks_is_named() {
    let tasks =
        r#"{"columns": ["To do", "Doing", "Done"], "tasks": [{"id": "KB-1", "title": "one", "status": "Doing"}]}"#;
    let world = repository(&[("data/tasks.json", tasks)]);
    let outcome = world.run(&["init", "--source", "data/tasks.json"]).exits(0).says("To do, Doing, Done");
    assert_eq!(written(&outcome), ["kanban-codex-exec.yaml", "transitions.yaml", "tests.txt"]);
    outcome.says("next      kanban-codex-exec print-plan --source data/tasks.json");
    let plan = assert_good(&world, &["--source", "data/tasks.json"]);
    assert!(
        plan["cards"][0]["prompt"]
            .as_str()
            .unwrap()
            .contains("Leave data/tasks.json, data/tests.txt, data/transitions.yaml and")
    );
}

#[test]
fn what_is_there_stays_and_is_told() {
    let rules = "statuses: { A: { evidence: [changes] } }\n";
    let files = [("board.md", "## A\n\n## B\n"), ("transitions.yaml", rules), (".gitignore", "target")];
    let world = repository(&files);
    let outcome = world.run(&["init"]).exits(0);
    assert_eq!(written(&outcome), ["kanban-codex-exec.yaml", "tests.txt"]);
    outcome.says("kept      transitions.yaml, as it is").says("extended  .gitignore");
    assert_eq!(world.read("transitions.yaml"), rules);
    assert_eq!(world.read(".gitignore"), "target\n/.cache/kanban-codex-exec/\n");
    assert_good(&world, &[]);
    // A link that leads nowhere is there, too.
    fs::remove_file(world.repo("tests.txt")).unwrap();
    std::os::unix::fs::symlink("nowhere", world.repo("tests.txt")).unwrap();
    world.run(&["init"]).exits(0).says("kept      tests.txt");
    assert!(!world.repo("nowhere").exists());
}

#[test]
fn the_files_stand_beside_the_board_however_it_is_named() {
    let world = folder(&[("a/b/board.md", "## A\n"), ("c/x", "")]);
    std::os::unix::fs::symlink("a/b", world.repo("link")).unwrap();
    for source in ["c/../a/b/board.md", "link/board.md", "./a/b/../b/board.md"] {
        world.run(&["init", "--source", source]).exits(0);
        assert!(
            world.repo("a/b/tests.txt").is_file()
                && world.read("a/b/kanban-codex-exec.yaml").contains("source: board.md\n")
        );
        world.run(&["print-plan", "--source", source]).exits(0);
        for name in ["tests.txt", "kanban-codex-exec.yaml", "transitions.yaml"] {
            fs::remove_file(world.repo("a/b").join(name)).unwrap();
        }
    }
    // What the environment names goes where it says.
    let world = world.env("TESTS_FILE", "c/my-tests.txt");
    world.run(&["init", "a/b"]).exits(0);
    assert!(world.repo("a/b/c/my-tests.txt").is_file());
}

#[test]
fn a_new_folder_is_made_and_the_way_there_told() {
    let world = folder(&[]);
    world.run(&["init", "my board/x"]).exits(0).says("next      cd 'my board/x' && kanban-codex-exec print-plan");
    assert!(world.repo("my board/x/board.md").is_file());
    assert!(!world.repo("board.md").exists());
}

#[test]
fn the_object_has_a_version_and_says_what_was_written() {
    let world = folder(&[("board.md", "## A\n")]);
    let object: Value = serde_json::from_str(&world.run(&["init", "--format", "json"]).exits(0).stdout).unwrap();
    let files = json!([
        {"path": "kanban-codex-exec.yaml", "state": "written"}, {"path": "transitions.yaml", "state": "written"},
        {"path": "tests.txt", "state": "written"},
    ]);
    let expected = json!({
        "version": 1, "board": "board.md", "columns": ["A"], "files": files, "testsFound": null,
        "next": "kanban-codex-exec print-plan",
    });
    assert_eq!(object, expected);
}

#[test]
fn what_was_written_until_it_failed_is_told() {
    let world = folder(&[]);
    world.git(&["init", "-q"]);
    // What is in the way of the workflows' folder.
    world.write(".github", "");
    let outcome = world.run(&["init", "--ci"]).exits(1).warns(".github");
    let outcome = outcome.warns("hint: written until then: board.md, kanban-codex-exec.yaml, transitions.yaml, tests.txt, .gitignore; `init` again");
    assert_eq!(outcome.stdout, "");
    fs::remove_file(world.repo(".github")).unwrap();
    let outcome = world.run(&["init", "--ci"]).exits(0);
    assert_eq!(written(&outcome), [".github/workflows/kanban-dry-run.yml", ".github/workflows/kanban-run.yml"]);
}

#[test]
fn where_something_is_wrong_nothing_is_written() {
    let two = [("a.md", "---\nkanban-plugin: board\n---\n"), ("kanban.md", "## A\n")];
    for (files, args, told) in [
        (&two[..], &[][..], "there are several boards: a.md, kanban.md"),
        (&[("kanban-codex-exec.yaml", "maxCardss: 3\n")], &[], "did you mean `maxCards`?"),
        (&[("kanban-codex-exec.yaml", "source: gone.md\n")], &[], "gone.md: no such board"),
        (&[("board.md", "- [ ] a list without a column\n")], &[], "board.md"),
        (&[], &["--source", "gone.md"], "gone.md: no such board"),
        (&[], &["--provider", "github", "--source", "acme/7"], "no token for GitHub"),
        (&[], &["--provider", "trello"], "one of markdown, file, github"),
        (&[], &["x", "--source", "board.md"], "cannot be used with"),
        (&[], &["--ci"], "is not the root of a git repository"),
        (&[("file", "")], &["file"], "file: is a file, not a folder"),
    ] {
        let world = folder(files);
        let before = picture(&world.repo(""));
        let args: Vec<&str> = ["init"].into_iter().chain(args.iter().copied()).collect();
        let outcome = world.run(&args).warns(told);
        assert_eq!(outcome.code, Some(2), "{outcome}");
        assert_eq!(picture(&world.repo("")).changes(&before), [] as [PathBuf; 0], "{args:?}");
    }
}

/// The shipped file leaves the board to the config unless a path is named; what isn't one is left as it is.
#[test]
fn the_shipped_pm2_file_names_the_board_that_was_named() {
    let Some(node) = program("node") else { return };
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/pm2/ecosystem.config.cjs");
    let script = format!("console.log(JSON.stringify(require('{shipped}').apps[0].env))");
    let cases = [
        (&[][..], "{}"),
        (&[("KANBAN_SOURCE", "plan/board.md")], r#"{"KANBAN_SOURCE":"/plan/board.md"}"#),
        (&[("KANBAN_SOURCE", "me/1"), ("KANBAN_PROVIDER", "github")], "{}"),
        (&[("KANBAN_SOURCE", "https://github.com/users/me/projects/1")], "{}"),
    ];
    for (given, expected) in cases {
        let mut command = std::process::Command::new(&node);
        command.args(["-e", &script]).current_dir("/").env_clear().env("HOME", "/").envs(given.iter().copied());
        assert_eq!(String::from_utf8_lossy(&command.output().unwrap().stdout).trim_end(), expected, "{given:?}");
    }
}

#[test]
fn pm2_and_the_workflows_are_written_for_this_board() {
    let world = repository(&[("TODO.md", "- [ ] KB-1 it's one\n")]);
    let outcome = world.run(&["init", "--pm2", "--ci"]).exits(0);
    let more = ["ecosystem.config.cjs", ".github/workflows/kanban-dry-run.yml", ".github/workflows/kanban-run.yml"];
    assert_eq!(written(&outcome)[4..], more);
    let pm2 = world.read("ecosystem.config.cjs");
    let source = "path.resolve(process.env.KANBAN_SOURCE || path.resolve(__dirname, 'TODO.md'))";
    assert!(pm2.contains(source) && !pm2.contains("board.md"), "{pm2}");
    world.run(&["doctor"]).says("ok        pm2: ecosystem.config.cjs");
    if let Some(node) = program("node") {
        // From wherever it is started, that board with those settings.
        let repo = fs::canonicalize(world.repo("")).unwrap().display().to_string();
        let script = format!(
            "const app = require('{repo}/ecosystem.config.cjs').apps[0]; console.log(app.args.at(-2), app.args.at(-1), app.env.KANBAN_SOURCE)"
        );
        let read =
            std::process::Command::new(node).args(["-e", &script]).current_dir(world.path("home")).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&read.stdout),
            format!("--config {repo}/kanban-codex-exec.yaml {repo}/TODO.md\n"),
            "{}",
            String::from_utf8_lossy(&read.stderr)
        );
    }
    assert_good(&world, &[]);
    assert_eq!(written(&world.run(&["init", "--pm2", "--ci"]).exits(0)), [] as [&str; 0]);
}

#[test]
fn the_owner_on_github_is_in_the_line_that_stands_ready() {
    let world = repository(&[]);
    world.git(&["remote", "add", "origin", "git@github.com:acme/app.git"]);
    world.run(&["init"]).exits(0);
    assert!(world.read("kanban-codex-exec.yaml").contains("# provider: github\n# source: acme/NUMBER\n"));
}

/// Tests in several languages; what git ignores is none.
const SOURCES: [(&str, &str); 5] = [
    ("src/lib.rs", "#[test]\nfn greets_the_user_by_name() {}\n\n#[test]\nfn prints_usage() {}\n"),
    ("tests/test_greet.py", "def test_greets():\n    pass\n"),
    ("web/greet.test.ts", "it('greets Ada & Bob', () => {});\n"),
    ("package.json", "{\"devDependencies\": {\"vitest\": \"3\"}}\n"),
    ("target/old.rs", "#[test]\nfn generated() {}\n"),
];

#[test]
fn tests_are_proposed_from_the_names_of_the_repositorys_own() {
    let world = repository(&SOURCES).with(".gitignore", "/target\n");
    // What is no file is not waited for.
    assert!(std::process::Command::new("mkfifo").arg(world.repo("tests/test_pipe.py")).status().unwrap().success());
    world.run(&["init", "--from-tests"]).exits(0).says("wrote     tests.proposed.txt").says("tests     4 were found");
    let proposal = world.read("tests.proposed.txt");
    insta::assert_snapshot!("init_proposal", proposal);
    world.edit("board.md", "## In Progress\n\n", "## In Progress\n\n- [ ] KB-1 greet the user by name\n\n");
    let args =
        ["--tests", "tests.proposed.txt", "--allow-shell-tests", "--shell-allowlist", "cargo test", "--format", "json"];
    let args: Vec<&str> = ["print-plan"].into_iter().chain(args).collect();
    let plan: Value = serde_json::from_str(&world.run(&args).exits(0).stdout).unwrap();
    let tests = plan["cards"][0]["tests"].as_array().unwrap();
    let of = |id: &str| tests.iter().find(|test| test["id"] == id).unwrap_or_else(|| panic!("{id} in {tests:?}"));
    assert!(of("greets-the-user-by-name").get("blocked").is_none());
    assert!(of("tested-src-lib").get("blocked").is_none());
    world.run(&["init", "--from-tests"]).exits(0).says("kept      tests.proposed.txt");
}

#[test]
fn a_repository_without_tests_gets_no_proposal() {
    let world = repository(&[]);
    world.run(&["init", "--from-tests"]).exits(0).says("tests     none was found");
    assert!(!world.repo("tests.proposed.txt").exists());
}

#[test]
fn a_board_in_a_folder_of_the_repository_gets_its_workflows_where_it_is_told() {
    let world = repository(&[("docs/my plan.md", "## In Progress\n\n## Done\n"), SOURCES[0]]);
    let plan = ["--source", "docs/my plan.md"];
    let init = |args: &[&str]| world.run(&["init"].into_iter().chain(args.iter().copied()).collect::<Vec<_>>());
    let told =
        "let the config file be kanban-codex-exec.yaml, with `source: docs/my plan.md`, and run `init --ci` there";
    init(&[plan[0], plan[1], "--ci"]).exits(2).warns("docs is not the root of a git repository").warns(told);
    world.write("kanban-codex-exec.yaml", "source: docs/my plan.md\n");
    init(&["--ci"]).exits(0).says("board     docs/my plan.md").says("wrote     .github/workflows/kanban-run.yml");
    assert!(!world.repo("board.md").exists() && world.repo("docs/tests.txt").is_file());
    assert_good(&world, &[]);

    init(&[plan[0], plan[1], "--from-tests"]).exits(0);
    let proposal = world.read("docs/tests.proposed.txt");
    for line in [
        "#   kanban-codex-exec print-plan --source 'docs/my plan.md' --tests docs/tests.proposed.txt\n",
        "run `init --from-tests --source 'docs/my plan.md'`\n",
    ] {
        assert!(proposal.contains(line), "{line} is not in {proposal}");
    }
    init(&["docs", "--ci"]).exits(2).warns("with `source: docs/BOARD`");
    let outside = folder(&[("docs/plan.md", "## A\n")]);
    outside.run(&["init", "--ci"]).exits(2).warns("`git init` makes the folder one");
}

/// By what it wrote a card would pass, or be tampered with.
#[test]
fn nothing_is_written_while_a_run_is_at_work_there() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; [ $step = Review ] || wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        for args in [&["init", "--pm2"][..], &["init", "inner"]] {
            let refused = world.run_beside(args).exits(1).warns("error: a run is at work there (pid ");
            refused.warns("and what is written now would count as its work").warns("hint: stop it first");
        }
    });
    outcome.exits(0).says("2 promoted");
    assert!(!world.repo("kanban-codex-exec.yaml").exists() && !world.repo("inner/board.md").exists());
    world.run(&["init"]).exits(0).says("wrote     kanban-codex-exec.yaml");
}
