//! `doctor`: each thing that keeps a run from working is told, with what to do, and none hides another.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use kanban_codex_exec::process::MARKER;
use kanban_codex_exec::storage::RunLock;
use serde_json::Value;

use crate::github::{self, server::Project};
use crate::support::{RULES, TESTS, World, board, picture, program};

const FLAGS: &str =
    "-c, --config -m, --model --dangerously-bypass-approvals-and-sandbox --json -o, --output-last-message <FILE>";

/// What codex says of itself.
fn codex(version: &str, login: &str, flags: &str) -> String {
    format!(
        "#!/bin/sh\ncase \"$*\" in\n--version) echo '{version}' ;;\n'login status') {login} ;;\n'exec --help') echo '{flags}' ;;\nesac\n"
    )
}

/// The same of one that works.
const WORKS_AND_ANSWERS: &str = "raw
case $1$2 in
--version) echo codex-cli 0.169.0; exit ;;
loginstatus) exit ;;
exec--help) echo '-c -m --dangerously-bypass-approvals-and-sandbox --json -o'; exit ;;
esac
begin; make made; wait_for go; say done; complete";

/// All is well, but for what a test does to it.
fn well() -> World {
    let world = World::new("- [ ] KB-1 first @made\n").env("K_REQ", "1");
    with_codex(&world, &codex("codex-cli 0.169.0", "echo Logged in using ChatGPT", FLAGS));
    world
}

fn with_codex(world: &World, text: &str) {
    fs::write(world.path("codex"), text).unwrap();
    fs::set_permissions(world.path("codex"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[track_caller]
fn findings(world: &World, args: &[&str], code: i32) -> Vec<String> {
    let args: Vec<&str> = ["doctor", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    let told: Value = serde_json::from_str(&world.run_beside(&args).exits(code).stdout).unwrap();
    assert_eq!(told["version"], 1);
    let finding = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {} | {}", text("level"), text("check"), text("text"), text("hint"))
    };
    told["findings"].as_array().unwrap().iter().map(finding).collect()
}

#[track_caller]
fn tells(findings: &[String], start: &str, hint: &str) {
    let found = findings.iter().any(|finding| finding.starts_with(start) && finding.contains(hint));
    assert!(found, "{start:?} with {hint:?} is not among {findings:#?}");
}

/// Where a test keeps what the program prints.
fn of_output(path: &Path) -> bool {
    path.to_string_lossy().contains("/output-")
}

#[test]
fn where_all_is_well_it_says_so_and_writes_nothing() {
    let world = well();
    let before = picture(&world.path(""));
    let page = world.run(&["doctor"]).exits(0);
    let root = fs::canonicalize(world.path("")).unwrap();
    let text = page.stdout.replace(&*root.to_string_lossy(), "ROOT").replace('\n', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "ok settings: no kanban-codex-exec.yaml: flags, variables and defaults",
        "ok board: board.md: 6 columns, 1 card ok rules:",
        "ok rules: transitions.yaml: 2 columns are worked",
        "ok tests: tests.txt: 2 tests",
        "ok codex: codex-cli 0.169.0 at ROOT/codex",
        "ok codex login: Logged in using ChatGPT",
        "ok codex flags: -c -m --dangerously-bypass-approvals-and-sandbox --json -o",
        "ok git: git version",
        "ok cache: .cache/kanban-codex-exec can be written",
        "ok lock: no run is at work",
        "0 warnings, 0 errors",
    ] {
        assert!(words.contains(line), "{line:?} is not in {page}");
    }
    assert_eq!(before.changes(&picture(&world.path(""))).iter().filter(|path| !of_output(path)).count(), 0);
}

#[test]
fn each_fault_is_told_with_what_to_do() {
    struct Fault {
        what: fn(World) -> World,
        level: &'static str,
        told: &'static str,
        hint: &'static str,
    }
    #[rustfmt::skip]
    let faults = [
        Fault { what: |world| world.env("CODEX_BIN", "/nowhere/codex"), level: "error", told: "codex: /nowhere/codex is not there", hint: "--codex-bin" },
        Fault { what: |world| { with_codex(&world, &codex("codex-cli 0.120.1", "true", FLAGS)); world }, level: "warning", told: "codex: codex-cli 0.120.1", hint: "0.169" },
        Fault { what: |world| { with_codex(&world, "#!/bin/sh\necho events\n"); world }, level: "warning", told: "codex: ", hint: "a stand-in?" },
        Fault { what: |world| { with_codex(&world, &codex("codex-cli 0.170.0", "echo Not logged in >&2; exit 1", FLAGS)); world }, level: "error", told: "codex login: not logged in", hint: "codex login" },
        Fault { what: |world| { with_codex(&world, &codex("codex-cli 0.170.0", "exit 1", FLAGS)); fs::write(world.path("codex-home/config.toml"), "model_provider = \"lab\"\n").unwrap(); world }, level: "warning", told: "codex login: not logged in", hint: "that provider has a key" },
        Fault { what: |world| { with_codex(&world, &codex("codex-cli 0.170.0", "true", "-c -m --json -o")); world }, level: "error", told: "codex flags: `codex exec --help` doesn't name --dangerously-bypass", hint: "print-plan" },
        Fault { what: |world| world.env("KANBAN_CODEX_ARGS", "--no-such-flag=1"), level: "error", told: "codex flags: `codex exec --help` doesn't name --no-such-flag", hint: "codex.args" },
        Fault { what: |world| world.with("board.md", board::with("- [ ] KB-1 one ^same\n- [ ] KB-2 two ^same\n")), level: "warning", told: "board: board.md: refused: ", hint: "the others are worked" },
        Fault { what: |world| world.with("tests.txt", "regex:/(/\n"), level: "error", told: "rules and tests: tests.txt:1", hint: "" },
        Fault { what: |world| world.with("transitions.yaml", RULES.replace("onPass: Done", "onPass: Nowhere")), level: "error", told: "rules and tests: transitions.yaml:", hint: "" },
        Fault { what: |world| world.with("tests.txt", "# none\n"), level: "error", told: "rules and tests: tests.txt: holds no test", hint: "includes:some text" },
        Fault { what: |world| world.with("tests.txt", "includes:x\n"), level: "ok", told: "tests: tests.txt: 1 test | ", hint: "" },
        Fault { what: |world| world.env("KANBAN_SOURCE", "cards").with("cards/a.md", "---\nid: A\nstatus: Review\n---\n").with("cards/transitions.yaml", RULES).with("cards/tests.txt", TESTS), level: "ok", told: "board: cards: 4 columns, 1 card | ", hint: "" },
        Fault { what: |world| world.with("transitions.yaml", RULES.replacen("    evidence: [changes]\n", "", 1)), level: "warning", told: "rules: transitions.yaml: `In Progress` has no `evidence`", hint: "evidence: [changes]" },
        Fault { what: |world| world.with(".gitignore", "*\n"), level: "warning", told: "workspace: git ignores new files in the workspace", hint: "--workspace" },
        Fault { what: |world| world.with("tests.txt", format!("{TESTS}@runs It runs :: shell:true\n")), level: "warning", told: "tests: 1 `shell:` test is off", hint: "--allow-shell-tests" },
        Fault { what: |world| world.with("tests.txt", format!("{TESTS}@runs It runs :: shell:no-such-tool test\n")).env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "no-such-tool"), level: "warning", told: "tests: `no-such-tool` is not on PATH: 1 `shell:` test can't be judged", hint: "PM2 and cron" },
        Fault { what: |world| world.with("check.sh", "#!/bin/sh\n").with("transitions.yaml", format!("{RULES}    beforeTransition: {{ shell: ./check.sh }}\n")), level: "error", told: "hooks: transitions.yaml:12:5: `beforeTransition`: check.sh is not executable", hint: "chmod +x" },
        Fault { what: |world| world.with("tell.sh", "#!/bin/sh\n").with("transitions.yaml", format!("{RULES}    afterTransition: {{ shell: ./tell.sh }}\n")), level: "error", told: "hooks: tell.sh is not executable", hint: "chmod +x" },
        Fault { what: |world| world.with("transitions.yaml", format!("{RULES}onEvent: {{ shell: make news }}\n")), level: "warning", told: "hooks: the hook `make news` runs no file that is frozen", hint: "guardPaths" },
        Fault { what: |world| world.with("tell.mjs", "").with("transitions.yaml", format!("{RULES}    afterTransition: {{ js: ./tell.mjs }}\n")).env("JS_RUNTIME", "no-such-node"), level: "error", told: "node: no-such-node is not there", hint: "--js-runtime" },
        Fault { what: |world| world.env("CACHE_DIR", "board.md/cache"), level: "error", told: "cache: ", hint: "--cache-dir" },
        Fault { what: |world| world.with(".cache/kanban-codex-exec/journal.jsonl", "nothing\n{\"v\":1}\n"), level: "warning", told: "journal: .cache/kanban-codex-exec/journal.jsonl: lines [1, 2] are damaged", hint: "" },
        Fault { what: |world| world.with(".cache/kanban-codex-exec/journal.jsonl", "{\"v\":9}\n"), level: "error", told: "journal: ", hint: "use that version" },
        Fault { what: |world| world.with("pm2/ecosystem.config.cjs", "module.exports = { apps: [{ script: 'kanban-codex-exec', args: 'run', watch: true }] }"), level: "error", told: "pm2: pm2/ecosystem.config.cjs: `watch` restarts", hint: "remove" },
        Fault { what: |world| world.with("ecosystem.yml", "apps:\n- script: kanban-codex-exec\n  args: [run]\n"), level: "error", told: "pm2: ecosystem.yml: a drained board is started again for ever", hint: "--drained-exit-code 10" },
        Fault { what: |world| world.env("KANBAN_SOURCE", "desk/board.md").with("kanban-codex-exec.yaml", "source: board.md\n").with("desk/board.md", board::with("- [ ] KB-1 first\n")).with("desk/tests.txt", TESTS).with("desk/transitions.yaml", RULES), level: "ok", told: "settings: no desk/kanban-codex-exec.yaml (kanban-codex-exec.yaml is another board's): flags", hint: "" },
        Fault { what: |world| { symlink("nowhere", world.repo("kanban-codex-exec.yaml")).unwrap(); world }, level: "error", told: "settings: kanban-codex-exec.yaml: is a link that leads nowhere", hint: "make it a file" },
        Fault { what: |world| world.env("K_REQ", "99"), level: "error", told: "settings: K_REQ: K_REQ (99) is more than K_MIN", hint: "K_MIN tests are selected" },
    ];
    for Fault { what, level, told, hint } in faults {
        let world = what(well());
        let found = findings(&world, &[], i32::from(level == "error"));
        tells(&found, &format!("{level} {told}"), hint);
    }
}

#[test]
fn no_fault_hides_another() {
    let world = well()
        .with("tests.txt", "regex:/(/\n")
        .with("transitions.yaml", "statuses: { In Progress: { onPas: Done } }\n")
        .with("kanban-codex-exec.yaml", "kMinn: 3\n")
        .env("CODEX_BIN", "/nowhere/codex")
        .env("KANBAN_GRACE", "soon");
    fs::remove_file(world.repo("board.md")).unwrap();
    let found = findings(&world, &["--source", "board.md"], 1);
    for told in [
        "error settings: kanban-codex-exec.yaml:1:1: unknown setting `kMinn`",
        "error settings: KANBAN_GRACE: `soon` is not a time",
        "error settings: --source: board.md: no such board",
        "error rules and tests: transitions.yaml:1",
        "error rules and tests: tests.txt:1",
        "error codex: /nowhere/codex is not there",
        "ok git: ",
        "ok lock: ",
    ] {
        tells(&found, told, "");
    }
    let found = findings(&well(), &["--config", "missing.yaml"], 1);
    tells(&found, "error settings: --config: missing.yaml: no such file", "");
    tells(&found, "ok board: ", "");
}

#[test]
fn a_run_and_what_a_killed_one_left_are_told() {
    let world = World::new("- [ ] KB-1 first @made\n").codex(WORKS_AND_ANSWERS);
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    tells(&findings(&world, &[], 0), "ok lock: a run is at work: pid ", "");
    running.kill();
    fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0);
    tells(&findings(&world, &[], 0), "ok lock: no run is at work", "");
    // As a launcher that was killed leaves it.
    let repo = fs::canonicalize(world.path("repo")).unwrap();
    let marker = RunLock::marker_of(&repo);
    let mut sleep = Command::new("sleep");
    let mut left = sleep.arg("300").env(MARKER, format!("{marker}:1-1")).env("WORLD", world.path("")).spawn().unwrap();
    let found = findings(&world, &[], 0);
    left.kill().unwrap();
    left.wait().unwrap();
    tells(
        &found,
        &format!("warning strays: what a killed run left is at work: 1 of them, {} (sleep 300)", left.id()),
        "next `run`",
    );
}

#[test]
fn a_project_that_is_reached_and_may_not_be_written_is_told() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = || {
        let world = github::world(&project);
        with_codex(&world, &codex("codex-cli 0.169.0", "true", FLAGS));
        world
    };
    let found = findings(&world(), &[], 0);
    assert!(found[1].starts_with("ok board: ") && found[1].ends_with("/me/1: 5 columns, 1 card | "), "{found:?}");
    let found = findings(&world().env("GH_TOKEN", "ghp_expired0123456789"), &[], 1);
    tells(&found, "error board: ", "revoked");
    project.with(|state| state.closed = true);
    let found = findings(&world(), &[], 1);
    assert!(found[2].starts_with("error board: ") && found[2].contains("can be read, and not written"), "{found:?}");
}

#[test]
fn the_self_test_shows_that_the_gate_blocks_what_it_should() {
    // The user's own settings and board are no matter.
    let world = World::new("- [ ] KB-1 first @made\n").env("K_REQ", "99").env("CODEX_BIN", "/nowhere");
    let before = picture(&world.path("repo"));
    let found = findings(&world, &["--self-test"], 0);
    for (name, said) in [
        ("pass", "pass (2 of 2 required tests passed); it is in Done"),
        ("fail", "fail (1 of 2 required tests passed); it is in Needs Specs"),
        ("hang", "start limit"),
        ("idle", "silence limit); it is in Needs Specs"),
        ("tampered", "tampered (changed during the attempt: tests.txt"),
        ("too few tests", "unverified (1 of 2 required tests"),
    ] {
        tells(&found, &format!("ok {name}: "), said);
    }
    assert_eq!(found.len(), 6);
    assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [PathBuf; 0]);
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 0, "it takes its folder away");
}

#[test]
fn a_self_test_that_comes_to_something_else_fails_and_keeps_what_it_did() {
    let world = World::new("- [ ] KB-1 first @made\n");
    fs::create_dir(world.path("bin")).unwrap();
    symlink(program("sh").unwrap(), world.path("bin/sh")).unwrap();
    let bin = world.path("bin").display().to_string();
    let world = world.env("PATH", bin);
    let found = findings(&world, &["--self-test"], 1);
    tells(&found, "error pass: all of the work is done: the run failed: git is not on PATH", "look into");
    assert_eq!(fs::read_dir(world.path("tmp")).unwrap().count(), 1);
}
