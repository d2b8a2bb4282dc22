//! Folders in which nothing may be written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::board::cards;
use crate::support::{Outcome, World, picture, program};

const NOBODY: &str = "65534";

/// A world in which the program runs as somebody who may read everything and write nothing: root may write into any
/// folder, so it becomes nobody; others take the right to write away from themselves. None where that can't be done.
struct ReadOnly {
    world: World,
    program: PathBuf,
}

impl ReadOnly {
    fn new(world: World) -> Option<ReadOnly> {
        if rustix::process::geteuid().is_root() {
            program("setpriv")?;
        }
        let program = world.path("program");
        fs::copy(env!("CARGO_BIN_EXE_kanban-codex-exec"), &program).unwrap();
        // So that a codex that is started can say so.
        fs::write(world.path("codex.log"), "").unwrap();
        set_modes(&world.path(""), 0o555);
        fs::set_permissions(world.path("codex.log"), Permissions::from_mode(0o666)).unwrap();
        fs::set_permissions(world.path(""), Permissions::from_mode(0o755)).unwrap();
        Some(ReadOnly { world, program })
    }

    fn run(&self, args: &[&str]) -> Outcome {
        let mut command = match rustix::process::geteuid().is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(&self.program);
                command
            }
            false => Command::new(&self.program),
        };
        command.env("WORLD", self.world.path(""));
        self.world.start_as(command, args).outcome()
    }
}

impl ReadOnly {
    /// Leaves no folder for the locks of a user who had none.
    fn run_locked(&self) -> Outcome {
        let locks = PathBuf::from(format!("/tmp/kanban-codex-exec-{NOBODY}"));
        let fresh = !locks.exists();
        let outcome = self.run(&["run"]);
        if fresh {
            fs::remove_dir_all(&locks).ok();
        }
        outcome
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        set_modes(&self.world.path(""), 0o755);
    }
}

fn set_modes(path: &Path, mode: u32) {
    let data = fs::symlink_metadata(path).unwrap();
    if data.is_symlink() {
        return;
    }
    if data.is_dir() {
        // Before its content, which could not be listed otherwise.
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        fs::read_dir(path).unwrap().for_each(|entry| set_modes(&entry.unwrap().path(), mode));
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn looked_at(world: World) {
    let Some(read_only) = ReadOnly::new(world) else { return };
    let folders = ["repo", "home", "tmp", "codex-home"].map(|name| read_only.world.path(name));
    let before = folders.each_ref().map(|folder| picture(folder));
    for command in ["dry-run", "print-plan"] {
        for format in ["human", "json"] {
            let outcome = read_only.run(&[command, "--format", format]).exits(0);
            assert!(outcome.stdout.contains("KB-2"), "{outcome}");
            for (folder, before) in folders.iter().zip(&before) {
                assert_eq!(picture(folder).changes(before), [] as [PathBuf; 0], "{command}");
            }
        }
    }
    assert_eq!(read_only.world.executions(), [] as [String; 0]);
}

#[test]
fn dry_run_and_print_plan_write_nothing_and_start_nothing() {
    looked_at(World::new(&cards(2)));
    looked_at(World::outside_git(&cards(2)));
}

#[test]
fn they_do_neither_where_a_run_has_been() {
    let world = World::new(&cards(2));
    world.run(&["run", "--max-cards", "1"]).exits(3);
    fs::remove_file(world.path("codex.log")).unwrap();
    looked_at(world);
}

#[test]
fn print_plan_as_json_has_prompt_command_tests_and_verdict_of_each_card() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 bicycle shed\n");
    let plan: Value = serde_json::from_str(&world.run(&["print-plan", "--format", "json"]).exits(0).stdout).unwrap();
    assert_eq!(plan["version"], 1);
    let cards = plan["cards"].as_array().unwrap();
    let verdicts: Vec<_> =
        cards.iter().map(|card| (card["id"].as_str().unwrap(), card["verdict"].as_str().unwrap())).collect();
    assert_eq!(verdicts, [("KB-1", "ready"), ("KB-2", "unverified")]);
    let prompt = "Implement the card.\n\nKB-1 first @made";
    assert_eq!(cards[0]["prompt"], prompt);
    let codex = world.path("codex").display().to_string();
    let message = world.cache("attempts/KB-1.1/message.md").display().to_string();
    let bypass = "--dangerously-bypass-approvals-and-sandbox";
    let command = [
        &codex,
        "exec",
        prompt,
        "-c",
        "model_reasoning_effort='high'",
        "-m",
        "gpt-5-codex",
        bypass,
        "--json",
        "-o",
        &message,
    ];
    assert_eq!(cards[0]["command"], serde_json::json!(command));
    assert_eq!(cards[0]["tests"][0]["id"], "made");
}

#[test]
fn a_run_that_cannot_keep_its_journal_says_so_and_starts_nothing() {
    let Some(read_only) = ReadOnly::new(World::new(&cards(1))) else { return };
    let outcome = read_only.run_locked();
    outcome.exits(1).warns("error: ").warns(".cache").warns("hint: let the user who runs this do so");
    assert_eq!(read_only.world.executions(), [] as [String; 0]);
    assert_eq!(read_only.world.places(), ["KB-1: In Progress"]);
}

#[test]
fn a_run_that_may_not_write_another_users_board_says_so_and_does_nothing_twice() {
    let world = World::new(&cards(1));
    let cache = world.path("cache");
    let Some(read_only) = ReadOnly::new(world.env("CACHE_DIR", cache.to_str().unwrap())) else { return };
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    let board = read_only.world.board();
    for _ in 0..2 {
        let outcome = read_only.run_locked().exits(1);
        outcome.warns("error: cannot write ").warns("board.md").warns("hint: let the user who runs this do so");
        assert_eq!(read_only.world.executions(), ["KB-1 Implement"]);
        assert_eq!(read_only.world.board(), board);
    }
}

/// All that print for somebody: CI would go on with an empty file. A reader that has read enough is no error.
#[test]
fn what_cannot_be_printed_is_an_error_unless_its_reader_is_gone() {
    let world = World::new(&cards(1));
    let shell = |script: &str, words: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_kanban-codex-exec")]);
        world.start_as(shell, &words.split(' ').collect::<Vec<_>>()).outcome()
    };
    // The journal has what a run reports.
    shell(r#"exec "$0" "$@" >/dev/full"#, "run").exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    let commands = "print-plan|print-plan --format json|dry-run|dry-run --format json|report --format junit|report --format html|\
        report --format markdown|report --format json|board|status|history|explain KB-1|replay KB-1.1|logs KB-1|\
        logs KB-1 --format json|doctor|init|schema|schema config|man|completions bash|index-tests|accept|pause|resume";
    for command in commands.split('|') {
        let outcome =
            shell(r#"exec "$0" "$@" >/dev/full"#, command).exits(1).warns("error: cannot write to stdout: No space");
        assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{command}: {outcome}");
        let closed = r#"{ until [ -e "$WORLD/closed" ]; do :; done; "$0" "$@"; echo $? >&2; } | { exec <&-; : >"$WORLD/closed"; }"#;
        fs::remove_file(world.path("closed")).ok();
        let outcome = shell(closed, command).exits(0);
        assert_eq!(outcome.stderr, "0\n", "{command}: {outcome}");
    }
}
