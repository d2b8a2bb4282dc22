//! The shipped PM2 file under the real PM2: however it is stopped, killed or fails, no finished codex is executed again,
//! nothing is left running, and the board is as it should be.
//!
//! PM2 is taken from `PM2_BIN` or PATH. Where there is none these tests say that they were skipped; with `KANBAN_CI=1` they
//! fail. Each has a PM2_HOME, and so a daemon, of its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod daemon;
mod ends;
mod memory;
mod output;
mod stops;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{LONG, Outcome, World, processes, program_of};

const APP: &str = "kanban-codex-exec";

/// One column that is worked.
const RULES: &str = "statuses:\n  In Progress: { prompt: Implement., onPass: Done, evidence: [changes] }\n";

const PAUSE: Duration = Duration::from_millis(20);

/// A world with a PM2 of its own.
struct Pm2 {
    world: World,
    program: PathBuf,
}

impl Pm2 {
    /// The shipped app, with other values of some keys as JavaScript has them. None where there is no PM2.
    fn new(world: World, other: &str) -> Option<Pm2> {
        let program = program_of("PM2_BIN", "pm2")?;
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/pm2/ecosystem.config.cjs");
        let config =
            format!("const app = require({shipped:?}).apps[0];\nmodule.exports = {{apps: [{{...app, {other}}}]}};\n");
        fs::write(world.path("ecosystem.config.cjs"), config).unwrap();
        // PM2 asks its makers for news otherwise.
        let world = world.env("PM2_DISCRETE_MODE", "true").env("PM2_DISABLE_VERSION_CHECK", "true");
        Some(Pm2 { world: world.env("KANBAN_BIN", env!("CARGO_BIN_EXE_kanban-codex-exec")), program })
    }

    fn pm2(&self, args: &[&str]) -> Outcome {
        self.world.start_as(Command::new(&self.program), args).outcome_alone()
    }

    /// `CONFIG` is the file.
    fn does(&self, args: &[&str]) {
        let config = self.world.path("ecosystem.config.cjs").display().to_string();
        let args: Vec<&str> = args.iter().map(|arg| if *arg == "CONFIG" { &config } else { *arg }).collect();
        let outcome = self.pm2(&args);
        assert_eq!(outcome.code, Some(0), "pm2 {args:?}: {outcome}\n{}", self.told());
    }

    fn start(&self) {
        self.does(&["start", "CONFIG"]);
    }

    /// What PM2 knows of the app.
    fn app(&self) -> Value {
        let listed = self.pm2(&["jlist"]).stdout;
        // PM2 may greet before it answers.
        let list: Value = listed.lines().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        list[0].clone()
    }

    fn status(&self) -> String {
        self.app()["pm2_env"]["status"].as_str().unwrap_or_default().to_owned()
    }

    /// A file in PM2_HOME.
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.world.path("pm2").join(name)).unwrap_or_default()
    }

    fn log(&self, stream: &str) -> String {
        self.text(&format!("logs/{APP}.{stream}.log"))
    }

    fn told(&self) -> String {
        let journal = fs::read_to_string(self.world.cache("journal.jsonl")).unwrap_or_default();
        let (out, error, daemon) = (self.log("out"), self.log("error"), self.text("pm2.log"));
        format!("--- journal\n{journal}\n--- stdout\n{out}\n--- stderr\n{error}\n--- PM2\n{daemon}")
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < LONG, "waited in vain: {what}\n{}", self.told());
            std::thread::sleep(PAUSE);
        }
    }

    /// PM2 loses what it hasn't read of an app that ends, and may be too busy to read for the moment that the app waits then.
    fn says(&self, stream: &str, word: &str) {
        for _ in 0..3 {
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(5) {
                if self.log(stream).contains(word) {
                    return;
                }
                std::thread::sleep(PAUSE);
            }
            self.does(&["restart", APP]);
        }
        panic!("nothing of {word:?} in PM2's log\n{}", self.told());
    }

    fn until_done(&self, cards: usize) {
        let done = |places: &[String]| places.iter().filter(|place| place.ends_with(": Done")).count();
        self.until("the cards are done", || done(&self.world.places()) == cards);
    }

    /// How often PM2 saw the app end so: `code [2]`, `signal [SIGKILL]`.
    fn ends(&self, how: &str) -> usize {
        self.text("pm2.log").lines().filter(|line| line.contains("exited with") && line.contains(how)).count()
    }

    fn given_up(&self) -> bool {
        self.text("pm2.log").contains("had too many unstable restarts")
    }

    fn starts(&self) -> usize {
        self.text("pm2.log").lines().filter(|line| line.contains("starting in -fork mode-")).count()
    }

    /// The newest run's.
    fn runner(&self) -> Pid {
        let started = self.world.records("run_started");
        let pid = started.last().unwrap()["pid"].as_i64().unwrap();
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    fn signal(&self, pid: Pid, signal: Signal) {
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{pid:?}: {error}\n{}", self.told()));
    }

    /// What is running of this world, PM2's daemon and what that measures the disk with aside.
    fn left(&self) -> Vec<String> {
        let mut left = processes::of(&self.world.path(""));
        left.retain(|line| !is_daemon(line) && !line.ends_with(": df -kP"));
        left
    }

    fn assert_nothing_is_left(&self, when: &str) {
        assert_eq!(self.left(), [] as [String; 0], "{when}\n{}", self.told());
    }

    /// Each card was executed to its end once, in board order, and never two at once.
    fn assert_executed_once(&self, cards: usize) {
        let once: Vec<String> = (1..=cards).map(|card| format!("KB-{card} Implement.")).collect();
        assert_eq!(self.world.finished(), once, "{}", self.told());
        assert!(!self.world.overlapped(), "{}", self.told());
    }
}

impl Drop for Pm2 {
    fn drop(&mut self) {
        // With the app. What it does not end, the world ends by pid.
        let daemons = || processes::of(&self.world.path("")).iter().filter(|line| is_daemon(line)).count();
        if daemons() > 0 {
            self.pm2(&["kill"]);
        }
        // It answers before it ends.
        let began = Instant::now();
        while daemons() > 0 && began.elapsed() < LONG / 4 {
            std::thread::sleep(PAUSE);
        }
    }
}

fn is_daemon(line: &str) -> bool {
    line.contains(": PM2 v")
}
