//! The workflows, ours and those that we hand out: they are YAML, and what they call exists.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use kanban_codex_exec::cli;
use serde_yaml::Value;

use crate::support::board::cards;
use crate::support::{Outcome, World, program};

/// Those that call the program, and one that makes it.
const CALLERS: [&str; 3] = [
    "examples/github-actions/kanban-dry-run.yml",
    "examples/github-actions/kanban-run.yml",
    ".github/workflows/ci.yml",
];
const RELEASE: &str = ".github/workflows/release.yml";

fn files() -> impl Iterator<Item = &'static str> {
    CALLERS.into_iter().chain([RELEASE])
}

fn workflow(file: &str) -> Value {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn steps(workflow: &Value) -> Vec<&Value> {
    let jobs = workflow["jobs"].as_mapping().unwrap().values();
    jobs.flat_map(|job| job["steps"].as_sequence().unwrap()).collect()
}

/// The program's own command lines in a script, without what the shell does with their output.
fn commands(script: &str) -> Vec<Vec<String>> {
    let own = script.lines().map(str::trim).filter(|line| line.starts_with("kanban-codex-exec "));
    let cut = |line: &str| line.split(['|', '>', ';', '&']).next().unwrap().to_owned();
    own.map(|line| shell_words::split(&cut(line)).unwrap()).collect()
}

#[test]
fn every_command_and_flag_of_theirs_exists() {
    for file in CALLERS {
        let workflow = workflow(file);
        let mut found = 0;
        for step in steps(&workflow) {
            assert!(step.get("uses").is_some() != step.get("run").is_some(), "{file}: {step:?}");
            for command in commands(step["run"].as_str().unwrap_or_default()) {
                found += 1;
                cli::command().try_get_matches_from(&command).unwrap_or_else(|error| panic!("{file}: {error}"));
            }
        }
        assert!(found > 0, "{file} calls nothing");
    }
}

#[test]
fn they_take_no_more_rights_and_time_than_they_need() {
    for file in files() {
        let workflow = workflow(file);
        assert!(workflow["permissions"].is_mapping(), "{file}");
        for job in workflow["jobs"].as_mapping().unwrap().values() {
            assert!(job["timeout-minutes"].is_number(), "{file}: a job without an end");
        }
    }
    let run = workflow("examples/github-actions/kanban-run.yml");
    assert_eq!(run["concurrency"]["cancel-in-progress"], Value::Bool(false));
    let secrets = steps(&run).into_iter().filter(|step| serde_yaml::to_string(step).unwrap().contains("secrets."));
    let names: Vec<_> = secrets.map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Work the board"], "secrets are for the step that needs them");
}

#[test]
fn their_scripts_are_a_shells() {
    if program("bash").is_none() {
        return;
    }
    for file in files() {
        for step in steps(&workflow(file)) {
            let script = step["run"].as_str().unwrap_or_default();
            let read = Command::new("bash").args(["-n", "-c", script]).output().unwrap();
            assert!(read.status.success(), "{file}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

#[test]
fn a_release_packs_every_target_with_a_script_that_is_there() {
    let release = workflow(RELEASE);
    let targets = release["jobs"]["build"]["strategy"]["matrix"]["include"].as_sequence().unwrap();
    let targets: Vec<&str> = targets.iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert!(
        targets.iter().all(|target| target.ends_with("-linux-musl") || target.ends_with("-apple-darwin")),
        "{targets:?}"
    );
    let scripts: Vec<&str> = steps(&release).into_iter().filter_map(|step| step["run"].as_str()).collect();
    assert!(scripts.contains(&".ci/package ${{ matrix.target }}"), "{scripts:?}");
    // The notes are the changelog's section of the version.
    let changelog = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains("\n## [Unreleased]\n"));
}

/// The script of a step, as its workflow has it.
fn script(workflow: &Value, name: &str) -> String {
    let step = steps(workflow).into_iter().find(|step| step["name"].as_str() == Some(name));
    step.unwrap_or_else(|| panic!("no step {name}"))["run"].as_str().unwrap().to_owned()
}

/// A repository as an action checks it out: the board committed, its remote beside it, the program on PATH.
fn checked_out(cards: &str) -> World {
    let world = World::new(cards);
    let program = Path::new(env!("CARGO_BIN_EXE_kanban-codex-exec")).parent().unwrap().display().to_string();
    let path = format!("{}:{program}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    let world = world.env("PATH", path).env("GITHUB_REF_NAME", "main").env("GITHUB_STEP_SUMMARY", "summary.md");
    world.run(&["init", "--ci"]).exits(0);
    world.commit_with_origin();
    // Git would tidy up behind a merge that has ended.
    world.git(&["config", "maintenance.auto", "false"]);
    world.git(&["push", "-q", "origin", "main"]);
    world.git(&["fetch", "-q"]);
    world
}

/// A `gh` that writes down what it is asked of pull requests, and knows of one from when it is made.
fn hub(world: &World) {
    let gh = "#!/bin/sh\n[ $1 = pr ] || exit 0\necho \"$1 $2\" >>\"$WORLD/gh\"\ncase $2 in view) cat \"$WORLD/state\" ;; create) echo OPEN >\"$WORLD/state\" ;; esac\n";
    fs::create_dir(world.path("bin")).unwrap();
    fs::write(world.path("bin/gh"), gh).unwrap();
    fs::set_permissions(world.path("bin/gh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[track_caller]
fn step(world: &World, workflow: &str, name: &str) -> Outcome {
    let workflow: Value = serde_yaml::from_str(&world.read(&format!(".github/workflows/{workflow}"))).unwrap();
    let mut bash = Command::new("bash");
    bash.args(["-e", "-c", &script(&workflow, name)]);
    world.start_as(bash, &[]).outcome()
}

/// What the summary gets, from the script as it stands.
#[test]
fn the_plan_of_a_pull_request_is_its_summary() {
    let fence = "~~~~~~~~";
    let hostile = format!("- [ ] {fence} @made\n\n  {fence}\n\n      {fence}text\n  <script>\n  {fence}\n");
    let world = checked_out(&format!("- [ ] KB-1 first @made\n- [ ] KB-2 ``` and ~~~ @made\n{hostile}"));
    step(&world, "kanban-dry-run.yml", "The plan").exits(0);
    let summary = world.read("summary.md");
    let told = ["## Where each card would go", "if it passes", "<details>", "1. KB-1 first", "codex exec", "<script>"];
    let places = told.map(|text| summary.find(text).unwrap_or_else(|| panic!("{text} in {summary}")));
    assert!(places.is_sorted() && summary.trim_end().ends_with("</details>"), "{summary}");
    // A line closes a fence where it stands at most three spaces in, and has nothing else.
    let closes = |line: &&str| line.trim().trim_start_matches('~').is_empty() && line.trim().len() >= fence.len();
    let closing = summary.lines().filter(closes).filter(|line| line.len() - line.trim_start().len() <= 3);
    assert_eq!(closing.count(), 2, "{summary}");
    let begin = |line: &str| line.starts_with(['#', '~', '<', '-']);
    let own = ["## Where", "~~~~~~~~text", "~~~~~~~~", "<details>", "</details>"];
    let strange = summary.lines().filter(|line| begin(line) && !own.iter().any(|own| line.starts_with(own)));
    assert_eq!(strange.collect::<Vec<_>>(), [""; 0], "{summary}");
}

#[test]
fn a_plan_that_cannot_be_made_fails_its_job() {
    let world = checked_out("- [ ] KB-1 first @made\n");
    world.edit("transitions.yaml", "onPass: Review", "onPass: Reveiw");
    step(&world, "kanban-dry-run.yml", "The plan").exits(2).warns("did you mean `Review`?");
}

/// The steps behind the work see to it themselves that they run, whatever became of it.
#[test]
fn what_passed_in_a_night_that_ended_badly_is_pushed() {
    let run = workflow("examples/github-actions/kanban-run.yml");
    let after: Vec<&Value> =
        steps(&run).into_iter().skip_while(|step| step["name"] != "Work the board").skip(1).collect();
    let runs = |step: &&Value| step["if"].as_str().is_some_and(|when| when.starts_with("always()"));
    assert!(after.len() == 2 && after.iter().all(runs), "{after:?}");

    let world = checked_out("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n")
        .codex(
            "case $prompt in *KB-2*) echo 'unexpected status 503 Service Unavailable' >&2; exit 1 ;; esac; make made",
        )
        .env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
    hub(&world);
    step(&world, "kanban-run.yml", "The branch").exits(0);
    step(&world, "kanban-run.yml", "Work the board").exits(1).says("PROMOTED").warns("codex could not work");
    step(&world, "kanban-run.yml", "Ask for the merge").exits(0);
    assert!(world.git(&["--git-dir", "../origin.git", "show", "kanban:made/KB-1.txt"]).contains("made for KB-1"));
}

/// Two nights: the branch, the work, the request for its merge, which is made once.
#[test]
fn nights_work_on_a_branch_and_ask_for_its_merge_once() {
    let world = checked_out("- [ ] KB-1 first @made\n");
    hub(&world);
    let night = |promoted: &str| {
        step(&world, "kanban-run.yml", "The branch").exits(0);
        step(&world, "kanban-run.yml", "Work the board").exits(0).says(promoted);
        step(&world, "kanban-run.yml", "Ask for the merge").exits(0);
    };
    night("2 promoted");
    assert_eq!(fs::read_to_string(world.path("gh")).unwrap(), "pr view\npr create\n");
    let origin = |file: &str| world.git(&["--git-dir", "../origin.git", "show", file]);
    assert!(origin("kanban:board.md").contains("passed Review → Done"));
    assert!(origin("kanban:made/KB-1.txt").contains("made for KB-1"));
    assert!(!origin("main:board.md").contains("passed"), "nothing reaches the default branch unread");

    // The next day somebody writes a card on the default branch.
    world.git(&["switch", "-q", "main"]);
    world.edit("board.md", "## Backlog\n", "## Backlog\n\n- [ ] KB-2 for tomorrow @made\n");
    world.git(&["commit", "-qam", "more"]);
    world.git(&["push", "-q", "origin", "main"]);
    world.git(&["branch", "-qD", "kanban"]);
    night("0 promoted");
    assert_eq!(fs::read_to_string(world.path("gh")).unwrap(), "pr view\npr create\npr view\n");
    assert!(origin("kanban:board.md").contains("KB-2 for tomorrow"));
    assert_eq!(world.executions().len(), 2, "what passed is not worked again");
}

#[test]
fn a_guard_that_is_reached_fails_no_night_and_other_ends_do() {
    let world = checked_out(&cards(7));
    step(&world, "kanban-run.yml", "Work the board").exits(0).says("--max-cards 5");
    let world =
        checked_out("- [ ] KB-1 first @made\n").env("CODEX_BIN", "/no/codex").env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
    step(&world, "kanban-run.yml", "Work the board").exits(1).warns("codex could not work");
}
