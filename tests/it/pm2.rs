//! The shipped PM2 file under the real PM2: stop, start and restart in mid-attempt lose nothing, repeat nothing and leave
//! nothing running.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far beyond what any step may take.
const LONG: Duration = Duration::from_secs(120);

/// Writes down its starts. The card `slow` is a long sleep, with a detached one, as long as the file `hold` is there, and
/// ends with it: PM2 may kill the sleep first, and a shell would go on. The card `loud` prints more than any pipe holds.
const CODEX: &str = r#"#!/bin/sh
case $2 in
*slow*)
    echo slow >>../starts
    echo begun >slow.txt
    if [ -e ../hold ]; then
        setsid sleep 300 &
        sleep 300 || exit
    fi
    echo finished >>slow.txt ;;
*loud*)
    echo loud >>../starts
    yes "a line of what codex prints" | head -c 20000000
    echo finished >loud.txt ;;
esac
echo done
"#;

const RULES: &str = "statuses:\n  Todo: { prompt: \"Work.\\n\", onPass: Done, evidence: [changes], require: 1 }\n";
const TESTS: &str = "the slow card is finished :: includes[slow.txt]:finished\n\
    the loud card is finished :: includes[loud.txt]:finished\n";

/// A project under a PM2 of its own.
struct World {
    folder: tempfile::TempDir,
    pm2: PathBuf,
}

impl World {
    /// None where there is no PM2, which is told.
    fn new(config: &str) -> Option<World> {
        let pm2 = program("pm2", "PM2_BIN")?;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("project")).unwrap();
        fs::write(path("project/board.md"), "## Todo\n\n- [ ] the slow card\n- [ ] unrelated\n\n## Done\n").unwrap();
        fs::write(path("project/transitions.yaml"), RULES).unwrap();
        fs::write(path("project/tests.txt"), TESTS).unwrap();
        fs::write(path("codex"), CODEX).unwrap();
        Command::new("chmod").arg("+x").arg(path("codex")).status().unwrap();
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/pm2/ecosystem.config.cjs");
        let config = config.replace("SHIPPED", &format!("require({shipped:?}).apps[0]"));
        fs::write(path("ecosystem.config.cjs"), config).unwrap();
        Some(World { folder, pm2 })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pm2(&self, args: &[&str]) -> Output {
        let keep = ["PATH", "LANG"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
        let mut command = Command::new(&self.pm2);
        command.args(args).env_clear().envs(keep).current_dir(self.path("project"));
        command.env("HOME", self.folder.path()).env("PM2_HOME", self.path("pm2"));
        command.env("KANBAN_BIN", env!("CARGO_BIN_EXE_kanban-codex-exec")).env("CODEX_BIN", self.path("codex"));
        command.env("KANBAN_POLL_INTERVAL", "100ms").env("KANBAN_GRACE", "1s");
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn pm2_does(&self, args: &[&str]) {
        let output = self.pm2(args);
        assert!(output.status.success(), "pm2 {args:?}: {}", String::from_utf8_lossy(&output.stdout));
    }

    fn start(&self) {
        self.pm2_does(&["start", self.path("ecosystem.config.cjs").to_str().unwrap()]);
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The journal's events of a kind.
    fn events(&self, kind: &str) -> Vec<Value> {
        let text = self.text("project/.cache/kanban-codex-exec/journal.jsonl");
        let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter(|record| record["event"] == kind).collect()
    }

    fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            if began.elapsed() > LONG {
                let log = |stream: &str| self.text(&format!("pm2/logs/kanban-codex-exec.{stream}.log"));
                panic!(
                    "{what} never came\nstdout: {}\nstderr: {}\npm2: {}",
                    log("out"),
                    log("error"),
                    self.text("pm2/pm2.log")
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The command lines of what still runs of this world, PM2's own daemon aside: found by HOME, which all inherit.
    fn left(&self) -> Vec<String> {
        let home = format!("HOME={}\0", self.folder.path().display()).into_bytes();
        let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let here = |path: &PathBuf| {
            let environ = fs::read(path.join("environ")).unwrap_or_default();
            environ.windows(home.len()).any(|piece| piece == home)
        };
        let line = |path: PathBuf| {
            String::from_utf8_lossy(&fs::read(path.join("cmdline")).unwrap_or_default()).replace('\0', " ")
        };
        entries.filter(here).map(line).filter(|line| !line.starts_with("PM2 ")).collect()
    }

    fn status(&self) -> Value {
        let listed = self.pm2(&["jlist"]).stdout;
        let text = String::from_utf8_lossy(&listed);
        // PM2 may greet before it answers.
        let list: Value = text.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        list[0]["pm2_env"]["status"].clone()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.pm2(&["kill"]);
    }
}

/// A program that these tests need, from its variable or PATH. Where it is missing the test says that it is skipped, and
/// under KANBAN_CI fails.
fn program(name: &str, variable: &str) -> Option<PathBuf> {
    let given = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let search = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&search).map(|folder| folder.join(name)).filter(|path| path.is_file());
    let found = given.or_else(|| found.next()).filter(|path| path.is_file());
    if found.is_none() {
        assert!(std::env::var_os("KANBAN_CI").is_none(), "{name} is missing: set {variable}");
        println!("skipped: {name} is not on PATH, and {variable} names none");
    }
    found
}

fn add_card(board: &Path, title: &str) {
    let text = fs::read_to_string(board).unwrap();
    let new = board.with_extension("new");
    fs::write(&new, text.replacen("## Todo\n\n", &format!("## Todo\n\n- [ ] {title}\n"), 1)).unwrap();
    // The runner looks at any time.
    fs::rename(new, board).unwrap();
}

fn passes(world: &World) -> usize {
    world.events("transitioned").iter().filter(|record| record["verdict"] == "pass").count()
}

fn stop_and_restart(config: &str) {
    let Some(world) = World::new(config) else { return };
    fs::write(world.path("hold"), "").unwrap();
    world.start();
    world.wait_until("codex", || world.text("project/slow.txt").contains("begun"));

    // The runner, a launcher, the stand-in and its two sleeps.
    world.wait_until("the detached sleep", || world.left().len() >= 5);
    world.pm2_does(&["stop", "kanban-codex-exec"]);
    assert_eq!(world.left(), [] as [String; 0], "stopped in mid-attempt");
    let ends = world.events("attempt_ended");
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0]["ending"]["kind"], "interrupted", "a stop is no failure of the card");
    assert_eq!(world.events("summary")[0]["stopped"], "signal");
    assert!(world.text("project/board.md").contains("## Todo\n\n- [ ] the slow card"));

    fs::remove_file(world.path("hold")).unwrap();
    world.start();
    world.wait_until("the promotion", || passes(&world) == 1);
    assert_eq!(world.text("starts"), "slow\nslow\n");

    world.pm2_does(&["restart", "kanban-codex-exec"]);
    world.wait_until("the third start", || world.events("run_started").len() == 3);
    add_card(&world.path("project/board.md"), "the loud card");
    world.wait_until("the next promotion", || passes(&world) == 2);
    assert_eq!(world.text("starts"), "slow\nslow\nloud\n", "finished work is not repeated");

    // The card without tests was passed over at each look, which is no news: refused, then passed over, once a run.
    let told = world.text("pm2/logs/kanban-codex-exec.out.log");
    assert!(told.lines().filter(|line| line.contains("unrelated")).count() <= 3, "{told}");
    world.pm2_does(&["delete", "kanban-codex-exec"]);
    assert_eq!(world.left(), [] as [String; 0], "deleted");
    let board = world.text("project/board.md");
    let done = board.split_once("## Done").unwrap().1;
    assert!(done.contains("the slow card") && done.contains("the loud card"), "{board}");
}

#[test]
fn stopped_in_mid_attempt_and_started_again_it_goes_on_where_it_was() {
    stop_and_restart("module.exports = {apps: [SHIPPED]}");
}

#[test]
fn pm2s_own_tree_kill_is_no_failure_of_a_card_either() {
    stop_and_restart("module.exports = {apps: [{...SHIPPED, treekill: true}]}");
}

#[test]
fn a_drained_board_is_not_restarted_for_ever() {
    let config = "const app = SHIPPED; module.exports = {apps: [{...app, restart_delay: 0, args: app.args.filter(word => word !== '--watch')}]}";
    let Some(world) = World::new(config) else { return };
    world.start();
    world.wait_until("the end", || world.events("summary").len() == 1 && world.status() == "stopped");
    assert_eq!(world.events("summary")[0]["stopped"], "drained");
    assert_eq!(world.events("run_started").len(), 1);
}
