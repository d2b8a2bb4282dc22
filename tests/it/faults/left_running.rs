//! Whatever runs (codex, a shell test, a hook) and whatever ends it: nothing of its tree is left, and the next run goes on
//! from there.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::board::cards;
use crate::support::{Outcome, Running, World, processes, program, wait_until};

/// Everything that a program can leave below it. Then it is deaf to every signal until `go` is there.
const TREE: &str = r#"#!/bin/sh
sleep 300 &
(sleep 300; echo x) &
nohup sleep 300 >/dev/null 2>&1 &
setsid sleep 300 &
(setsid sh -c 'sleep 300 & sleep 300 & exit' &)
setsid setsid sh -c 'setsid sh -c "sleep 300 & wait" & wait' &
sh -c "trap '' INT TERM HUP; sleep 300; sleep 300" &
sleep 300 & kill -STOP $!
trap '' INT TERM HUP
: >"$WORLD/waiting"
until [ -e "$WORLD/go" ]; do sleep 0.01; done
"#;
/// What sheds its environment as well is found by its parents alone.
const SHEDDING: &str = "env -i PATH=\"$PATH\" setsid sleep 300 &\n: >";

const RULE: &str = "statuses:\n  In Progress: { prompt: Implement., onPass: Done, evidence: [changes] HOOK}\n";

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Codex,
    ShellTest,
    HookBefore,
    HookAfter,
}
use What::*;

/// What starts the tree, and the setting that limits it.
const JOBS: [(What, &str); 4] = [
    (Codex, "KANBAN_ATTEMPT_LIMIT"),
    (ShellTest, "KANBAN_TEST_LIMIT"),
    (HookBefore, "KANBAN_HOOK_LIMIT"),
    (HookAfter, "KANBAN_HOOK_LIMIT"),
];

fn world(what: What, tree: &str) -> World {
    let hook = match what {
        Codex | ShellTest => "",
        HookBefore => ", beforeTransition: { shell: ./tree.sh }",
        HookAfter => ", afterTransition: { shell: ./tree.sh }",
    };
    let test = if what == ShellTest { "shell:./tree.sh" } else { "includes[made/*.txt]:made for KB" };
    World::new(&cards(1))
        .program("tree.sh", tree)
        .with("transitions.yaml", RULE.replace(" HOOK", hook))
        .with("tests.txt", format!("@made the file is made :: {test}\n"))
        .codex(if what == Codex { "say 'I begin.'; ./tree.sh; make made" } else { "make made" })
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "./tree.sh")
        .env("KANBAN_GRACE", "200ms")
}

fn whole_tree() -> String {
    TREE.replace(": >", SHEDDING)
}

type End = fn(&World, Running) -> Outcome;

/// What ends a run that is in the middle of the tree, and leaves nothing.
const ENDINGS: [(&str, End, Option<i32>); 6] = [
    ("it ends by itself", |world, running| go(world, running), Some(0)),
    ("SIGKILL of the launcher", |world, running| without_launcher(world, running), Some(0)),
    ("SIGINT", |_, running| signalled(running, Signal::INT), Some(130)),
    ("SIGTERM", |_, running| signalled(running, Signal::TERM), Some(143)),
    ("SIGHUP", |_, running| signalled(running, Signal::HUP), Some(143)),
    ("SIGKILL", |world, running| killed(world, running), None),
];

fn go(world: &World, running: Running) -> Outcome {
    std::fs::write(world.path("go"), "").unwrap();
    running.outcome()
}

/// The runner ends what that left. What had come to no end by then is tried again, or is reported.
fn without_launcher(world: &World, running: Running) -> Outcome {
    let left = sleeps(world);
    kill_process(launcher(&running), Signal::KILL).unwrap();
    wait_until("the old tree's end", || !sleeps(world).iter().any(|line| left.contains(line)));
    go(world, running)
}

fn signalled(running: Running, signal: Signal) -> Outcome {
    running.signal(signal);
    running.outcome()
}

/// The launcher sees its runner's death and ends what is below it.
fn killed(world: &World, running: Running) -> Outcome {
    running.signal(Signal::KILL);
    let outcome = running.outcome_alone();
    wait_until("the launcher's end", || processes::of(&world.path("")).is_empty());
    outcome
}

/// Whatever happened before: the next run ends well, the card is done, and no codex that came to its end was started anew.
fn the_next_run_finishes(world: &World, case: &str) -> Outcome {
    std::fs::write(world.path("go"), "").unwrap();
    let outcome = world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"], "{case}: {outcome}");
    assert_eq!(world.finished(), ["KB-1 Implement."], "{case}");
    assert!(!world.overlapped(), "{case}");
    outcome
}

#[test]
fn nothing_is_left_by_whatever_runs_when_the_run_ends() {
    for (what, _) in JOBS {
        for (ending, end, code) in ENDINGS {
            let world = world(what, &whole_tree());
            let running = world.start(&["run"]);
            world.wait_for("waiting");
            let outcome = end(&world, running);
            assert_eq!(outcome.code, code, "{what:?}, {ending}: {outcome}");
            the_next_run_finishes(&world, &format!("{what:?}, {ending}"));
        }
    }
}

#[test]
fn nothing_is_left_by_whatever_runs_into_its_limit() {
    for (what, limit) in JOBS {
        let world = world(what, &whole_tree()).env(limit, "1s").env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
        let outcome = world.run(&["run", "--max-attempts", "1"]);
        // A test that can't be judged is no fault of the card's.
        let expected = if what == ShellTest { 4 } else { 0 };
        assert_eq!(outcome.code, Some(expected), "{what:?}: {outcome}");
        assert!(world.path("waiting").exists(), "{what:?}: {outcome}");
    }
}

#[test]
fn a_second_signal_ends_at_once_what_runs() {
    for (what, _) in JOBS {
        for signal in [Signal::INT, Signal::TERM] {
            // Longer than this test waits for anything.
            let world = world(what, &whole_tree()).env("KANBAN_GRACE", "1h");
            let mut running = world.start(&["run"]);
            world.wait_for("waiting");
            running.signal(Signal::INT);
            signalled_until_it_ends(&mut running, signal);
            running.outcome().exits(130);
            let world = world.env("KANBAN_GRACE", "200ms");
            the_next_run_finishes(&world, &format!("{what:?}"));
        }
    }
}

/// As a person would who sees that nothing happens: two at the same instant are one.
fn signalled_until_it_ends(running: &mut Running, signal: Signal) {
    wait_until("the end", || {
        std::thread::sleep(Duration::from_millis(100));
        let ended = running.child.try_wait().unwrap().is_some();
        if !ended {
            running.signal(signal);
        }
        ended
    });
}

/// A git that hangs is a child like any other, but for its grace: it has none to be asked in.
#[test]
fn a_second_signal_ends_a_git_that_hangs() {
    for verb in ["ls-files", "update-index", "diff-tree"] {
        let real = program("git").expect("git is needed");
        let world = World::new(&cards(1)).with("transitions.yaml", RULE.replace(" HOOK", "")).codex("make made");
        let world = world.with("tests.txt", "@made the file is made :: includes[made/*.txt]:made for KB\n");
        // Its environment is its own: it knows no WORLD.
        let hanging = format!(
            "#!/bin/sh\ncase \" $* \" in *' {verb} '*) [ -e {go} ] || {{ sleep 300 & : >{waiting}; trap '' INT TERM; wait; }};; esac\nexec {real} \"$@\"\n",
            go = world.path("go").display(),
            waiting = world.path("waiting").display(),
            real = real.display(),
        );
        // Beside the workspace: one in it is passed over.
        let world = world.program("../bin/git", &hanging);
        let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
        let world = world.env("PATH", path);
        let mut running = world.start(&["run"]);
        world.wait_for("waiting");
        running.signal(Signal::INT);
        signalled_until_it_ends(&mut running, Signal::INT);
        running.outcome().exits(130);
        the_next_run_finishes(&world, verb);
    }
}

fn launcher(running: &Running) -> Pid {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let mut launchers = entries.filter_map(|entry| {
        let read = |name: &str| {
            std::fs::read(entry.path().join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        let (stat, line) = (read("stat").ok()?, read("cmdline").ok()?);
        let parent: u32 = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (parent == running.child.id() && line.contains("__launch")).then(|| Pid::from_raw(pid))?
    });
    launchers.next().unwrap()
}

/// The runner is frozen meanwhile, so that it sees nothing of its launcher's death.
fn kill_with_its_launcher(running: Running) {
    running.signal(Signal::STOP);
    kill_process(launcher(&running), Signal::KILL).unwrap();
    running.kill();
}

#[test]
fn what_a_killed_runner_and_its_killed_launcher_left_is_ended_by_the_next_run_and_nothing_else_is() {
    let neighbour = world(Codex, TREE);
    let at_work = neighbour.start(&["run"]);
    neighbour.wait_for("waiting");
    let of_neighbour = sleeps(&neighbour);
    for (what, _) in JOBS {
        let world = world(what, TREE);
        let running = world.start(&["run"]);
        world.wait_for("waiting");
        kill_with_its_launcher(running);
        assert!(processes::of(&world.path("")).len() >= 8, "{what:?}: {:?}", processes::of(&world.path("")));
        let outcome = the_next_run_finishes(&world, &format!("{what:?}"));
        outcome.says("processes that a killed run left were ended");
    }
    let still = sleeps(&neighbour);
    assert!(
        !of_neighbour.is_empty() && of_neighbour.iter().all(|pid| still.contains(pid)),
        "another board's: {still:?}"
    );
    std::fs::write(neighbour.path("go"), "").unwrap();
    at_work.outcome().exits(0);
}

/// The pids of what a tree holds for as long as it stands.
fn sleeps(world: &World) -> Vec<String> {
    let all = processes::of(&world.path("")).into_iter().filter(|line| line.ends_with("sleep 300"));
    all.map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_a_killed_run_left_is_ended_by_the_next_run_in_its_workspace_whatever_the_board() {
    let world = world(Codex, TREE).with("second.md", crate::support::board::with("- [ ] KB-2 second @made\n"));
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    kill_with_its_launcher(running);
    std::fs::write(world.path("go"), "").unwrap();
    let outcome = world.run(&["run", "--source", "second.md"]).exits(0);
    outcome.says("processes that a killed run left were ended");
    assert_eq!(sleeps(&world), [] as [String; 0]);
}
