//! Backlog.md's own program makes a board, a run works it, and the program finds it in order.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{World, program};

const RULES: &str = "statuses:
  To Do: { prompt: Implement., onPass: Done, onFail: In Progress, evidence: [changes] }
";

/// The program, after telling a test that it is skipped where there is none.
fn found() -> Option<PathBuf> {
    match std::env::var_os("BACKLOG_BIN").map(PathBuf::from) {
        Some(path) if path.is_file() => Some(path),
        _ => program("backlog"),
    }
}

fn backlog(world: &World, program: &PathBuf, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(world.repo("")).stdin(Stdio::null()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", world.path("home"));
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "backlog {args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn its_own_program_finds_the_worked_board_in_order() {
    let Some(program) = found() else { return };
    let world = World::new("").with("transitions.yaml", RULES);
    std::fs::remove_file(world.repo("board.md")).unwrap();
    let run = |args: &[&str]| backlog(&world, &program, args);
    #[rustfmt::skip]
    run(&["init", "demo", "--defaults", "--integration-mode", "none", "--auto-open-browser", "false", "--check-branches", "false", "--include-remote", "false"]);
    run(&["task", "create", "KB-1 second", "-d", "Work: @made", "--plain"]);
    run(&[
        "task",
        "create",
        "KB-2 first",
        "-d",
        "Work, @made",
        "-l",
        "api",
        "--priority",
        "low",
        "--ac",
        "it works",
        "--plain",
    ]);
    run(&["task", "edit", "1", "--dep", "task-2", "--plain"]);
    run(&["task", "create", "A bicycle shed", "-d", "Nothing proves it", "--plain"]);
    let before: Vec<(String, String)> = files(&world);

    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(world.executions(), ["KB-2 Implement.", "KB-1 Implement."]);
    let places = |text: &str| -> Vec<String> {
        let list: Value = serde_json::from_str(text).unwrap();
        let place = |task: &Value| format!("{}: {}", task["id"].as_str().unwrap(), task["status"].as_str().unwrap());
        let mut places: Vec<String> = list["tasks"].as_array().unwrap().iter().map(place).collect();
        places.sort();
        places
    };
    assert_eq!(places(&run(&["task", "list", "--json"])), ["TASK-1: Done", "TASK-2: Done", "TASK-3: In Progress"]);
    let plain = run(&["task", "list", "--plain"]);
    assert!(plain.contains("In Progress:\n  TASK-3 - A bicycle shed\n"), "{plain}");
    assert!(run(&["doctor"]).starts_with("No duplicate IDs"));
    let shown = run(&["task", "2", "--plain"]);
    for line in ["Status: ✔ Done", "Labels: api", "Updated: ", "- [ ] #1 it works"] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
    // Only what its program would change is changed, beside our section.
    for ((_, before), (name, after)) in before.iter().zip(files(&world)) {
        let own = |line: &&str| !line.starts_with("status: ") && !line.starts_with("updated_date: ");
        let after = after.split("\n## kanban-codex-exec\n").next().unwrap();
        assert!(before.lines().filter(own).eq(after.lines().filter(own)), "{name}: {before}\n{after}");
    }

    // Its edits keep what the program said, and the next run goes on from them.
    run(&["task", "edit", "3", "-s", "To Do", "--notes", "tried", "--comment", "KB-3 again, @made", "--plain"]);
    let kept = files(&world).remove(2).1;
    assert!(kept.contains("## Comments") && kept.contains("unverified, bounced To Do → In Progress"), "{kept}");
    world.run(&["run"]).exits(0).says("somebody moved it In Progress → To Do").says("1 promoted");
    let kept = files(&world).remove(2).1;
    assert_eq!(kept.matches("## kanban-codex-exec").count(), 1, "{kept}");
    assert_eq!(places(&run(&["task", "list", "--json"]))[2], "TASK-3: Done");
    // It completes them, and nothing is left on the board.
    for id in ["1", "2", "3"] {
        run(&["task", "complete", id]);
    }
    assert!(run(&["doctor"]).starts_with("No duplicate IDs"));
    world.run(&["run"]).exits(0).says("0 promoted");
}

/// The cards' files by name.
fn files(world: &World) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(world.repo("backlog/tasks")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), world.read(&format!("backlog/tasks/{name}")))).collect()
}

#[test]
fn what_init_writes_for_its_board_is_valid() {
    let Some(program) = found() else { return };
    let world = World::new("");
    for name in ["board.md", "tests.txt", "transitions.yaml"] {
        std::fs::remove_file(world.repo(name)).unwrap();
    }
    let run = |args: &[&str]| backlog(&world, &program, args);
    #[rustfmt::skip]
    run(&["init", "demo", "--defaults", "--integration-mode", "none", "--auto-open-browser", "false", "--check-branches", "false", "--include-remote", "false"]);
    run(&["task", "create", "KB-1 second", "--status", "In Progress", "--plain"]);
    world
        .run(&["init"])
        .exits(0)
        .says("board     backlog: To Do, In Progress, Done")
        .says("wrote     transitions.yaml");
    let plan: Value = serde_json::from_str(&world.run(&["print-plan", "--format", "json"]).exits(0).stdout).unwrap();
    assert_eq!(plan["cards"][0]["title"], "KB-1 second");
    let prompt = plan["cards"][0]["prompt"].as_str().unwrap();
    assert!(
        prompt.contains("Leave backlog, tests.txt, transitions.yaml and kanban-codex-exec.yaml as they are"),
        "{prompt}"
    );
}
