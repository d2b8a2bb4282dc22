//! The runner in a real terminal, as its foreground process group: Ctrl-C, Ctrl-C again, the window closed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::board::cards;
use crate::support::{Outcome, World, program};

/// Types Ctrl-C, or closes the terminal (`^C=FILE`, `close=FILE`), when each file is there, and ends as the program does.
const TERMINAL: &str = r#"
import os, pty, sys, threading, time
actions, command = sys.argv[1].split(','), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
def act():
    for action in actions:
        key, name = action.split('=')
        while not os.path.exists(os.path.join(os.environ['WORLD'], name)):
            time.sleep(0.01)
        if key == 'close':
            os.close(terminal)
        else:
            os.write(terminal, b'\x03')
        open(os.path.join(os.environ['WORLD'], 'typed'), 'w').close()
threading.Thread(target=act, daemon=True).start()
while actions[-1].startswith('^C'):
    try:
        os.write(1, os.read(terminal, 65536) or sys.exit('the terminal has ended'))
    except OSError:
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// Hears SIGINT, says so, and goes on; what it left does not hear it.
const DEAF: &str = r#"
trap 'echo heard >>"$WORLD/heard"' INT
setsid sleep 300 &
(setsid sh -c "trap '' INT; sleep 300; sleep 300" &)
wait_for go
trap '' INT
make made"#;

fn in_a_terminal(world: &World, actions: &str) -> Option<Outcome> {
    shown_in_a_terminal(world, actions, &["run"])
}

/// What the terminal gets is on the outcome's stdout.
pub fn shown_in_a_terminal(world: &World, actions: &str, args: &[&str]) -> Option<Outcome> {
    let mut python = Command::new(program("python3")?);
    python.args(["-c", TERMINAL, actions, env!("CARGO_BIN_EXE_kanban-codex-exec")]);
    Some(world.start_as(python, args).outcome())
}

fn the_next_run_finishes(world: &World) {
    assert_eq!(world.places(), ["KB-1: In Progress"]);
    assert_eq!(world.records("attempt_ended")[0]["ending"]["kind"], "interrupted");
    fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn ctrl_c_ends_the_attempt_with_its_tree_and_costs_the_card_nothing() {
    let world = World::new(&cards(1)).codex(DEAF);
    let Some(outcome) = in_a_terminal(&world, "^C=waiting") else { return };
    outcome.exits(130).says("stopped by a signal");
    let heard = fs::read_to_string(world.path("heard")).unwrap();
    assert_eq!(heard, "heard\n", "the launcher's SIGINT, and none of the terminal's");
    the_next_run_finishes(&world);
}

#[test]
fn ctrl_c_again_ends_it_at_once() {
    // Longer than this test waits for anything.
    let world = World::new(&cards(1)).codex(DEAF).env("KANBAN_GRACE", "1h");
    let Some(outcome) = in_a_terminal(&world, "^C=waiting,^C=heard") else { return };
    outcome.exits(130);
    the_next_run_finishes(&world.env("KANBAN_GRACE", "200ms"));
}

#[test]
fn a_closed_terminal_ends_it_in_order() {
    let world = World::new(&cards(1)).codex(DEAF);
    let Some(outcome) = in_a_terminal(&world, "close=waiting") else { return };
    outcome.exits(143);
    assert_eq!(world.records("summary")[0]["stopped"], "signal");
    the_next_run_finishes(&world);
}

/// A terminal signals its whole foreground group. A git that died of it would take the attempt's tree along, and a runner that
/// waits for git must hear it all the same.
#[test]
fn ctrl_c_while_git_works_starts_no_further_codex_and_repeats_none() {
    let Some(git) = program("git") else { return };
    for call in 1.. {
        let world = World::new(&cards(1));
        let slow = format!(
            "#!/bin/sh\ncd {:?}\necho call >>calls\nif [ $(wc -l <calls) = {call} ]; then\n    : >waiting\n    \
             until [ -e typed ]; do sleep 0.01; done\n    sleep 0.1\nfi\ncd \"$OLDPWD\"\nexec {git:?} \"$@\"\n",
            world.path("")
        );
        fs::create_dir(world.path("bin")).unwrap();
        fs::write(world.path("bin/git"), slow).unwrap();
        fs::set_permissions(world.path("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
        let world = world.env("PATH", path);
        let Some(outcome) = in_a_terminal(&world, "^C=waiting") else { return };
        let executions = world.executions();
        let launched = ["KB-1.1", "KB-1.2"].map(|attempt| world.cache("attempts").join(attempt).join("exit.json"));
        let launched = launched.iter().filter(|report| report.exists()).count();
        assert_eq!(launched, executions.len(), "started after git call {call}, and ended at once: {outcome}");
        if executions.len() == 2 {
            assert!(call > 3, "git is at work for the tree after the first attempt, and for its patch: {outcome}");
            return;
        }
        assert_eq!(outcome.code, Some(130), "git call {call}: {outcome}");
        assert_eq!(world.finished(), executions, "git call {call}: {outcome}");
        world.run(&["run"]).exits(0);
        assert_eq!(world.places(), ["KB-1: Done"], "git call {call}");
        assert_eq!(world.executions(), ["KB-1 Implement", "KB-1 Review"], "git call {call}: {outcome}");
    }
}
