//! Kills the program at random instants over a board of many cards, starts it again, and compares where it arrives with a
//! run that nobody disturbed: `cargo run --release --example torture -- --kills 1000`.
//!
//! Each board is worked until it is drained. At its end the board is the same, no execution was repeated that had been
//! recorded as finished, no two were ever alive at once, and no process is left. Every fourth kill takes the launcher, too:
//! nobody is left then who could tell how codex ended, and one that had just come to its end is repeated; those are
//! counted. A difference ends it with 1, and its folder stays.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a command of the repository's own, whose panics are its report"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Arg, value_parser};
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Review
    maxAttempts: 2
    onExhausted: Blocked
    evidence: [changes]
  Review:
    prompt: Review the card.
    onPass: Done
    evidence: [changes]
";
const TESTS: &str = "@made The file that a card asks for is made :: includes[made/*.txt]:made for KB\n";

/// Works a moment; every seventh card comes to nothing. Tells when another of this board is alive.
const CODEX: &str = r#"#!/bin/sh
for last in "$@"; do :; done
card=$(printf '%s\n' "$2" | grep -o 'KB-[0-9]*' | head -n 1)
if read -r other <"$WORLD/alive" && tr '\0' '\n' <"/proc/$other/environ" | grep -qx "WORLD=$WORLD"; then
    echo "beside $card" >>"$WORLD/codex.log"
fi 2>/dev/null
echo $$ >"$WORLD/alive"
echo "start $card ${2%% *}" >>"$WORLD/codex.log"
echo '{"type":"thread.started","thread_id":"stand-in"}'
sleep 0.02
mkdir -p made
[ $((${card#KB-} % 7)) = 0 ] || echo "made for $card" >>"made/$card.txt"
sleep 0.02
printf 'Done.' >"$last"
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"Done."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":0,"output_tokens":20,"reasoning_output_tokens":0}}'
echo "end $card ${2%% *}" >>"$WORLD/codex.log"
"#;

struct World {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// What has to be the same: the board, and how often each card was worked to an end in which column.
#[derive(Debug, PartialEq)]
struct End {
    board: String,
    finished: BTreeMap<String, u32>,
}

impl World {
    fn new(program: &Path, cards: u32) -> World {
        let folder = tempfile::Builder::new().prefix("kanban-torture-").tempdir().unwrap();
        let world = World { folder, program: program.to_owned() };
        for folder in ["repo", "home"] {
            fs::create_dir(world.path(folder)).unwrap();
        }
        let cards: String = (1..=cards).map(|number| format!("- [ ] KB-{number} card @made\n")).collect();
        let board = format!("## In Progress\n\n{cards}\n## Review\n\n## Blocked\n\n## Done\n");
        for (name, text) in [("board.md", board.as_str()), ("transitions.yaml", RULES), ("tests.txt", TESTS)] {
            fs::write(world.path("repo").join(name), text).unwrap();
        }
        fs::write(world.path("codex"), CODEX).unwrap();
        fs::set_permissions(world.path("codex"), fs::Permissions::from_mode(0o755)).unwrap();
        let git = Command::new("git").args(["init", "-q"]).current_dir(world.path("repo")).status();
        assert!(git.unwrap().success());
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self) -> Child {
        let mut command = Command::new(&self.program);
        command.arg("run").current_dir(self.path("repo")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("WORLD", self.folder.path()).env("HOME", self.path("home"));
        command.env("CODEX_BIN", self.path("codex")).env("K_REQ", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(self.path("stderr")).unwrap());
        command.spawn().unwrap()
    }

    /// How often codex itself told this of its start, its end, or another beside it.
    fn told(&self, word: &str) -> usize {
        let log = fs::read_to_string(self.path("codex.log")).unwrap_or_default();
        log.lines().filter(|line| line.starts_with(word)).count()
    }

    fn finished(&self) -> BTreeMap<String, u32> {
        let mut places = BTreeMap::new();
        let mut times = BTreeMap::new();
        for line in fs::read_to_string(self.path("repo/.cache/kanban-codex-exec/journal.jsonl")).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let attempt = record["attempt"].to_string();
            if record["event"] == "attempt_started" {
                places.insert(attempt, format!("{} in {}", record["card"], record["column"]));
            } else if record["event"] == "attempt_ended" && record["ending"]["kind"] == "ok" {
                *times.entry(places[&attempt].clone()).or_default() += 1;
            }
        }
        times
    }

    /// The board without times and names of attempts: one that was interrupted has a name, too.
    fn end(&self) -> End {
        let passing = Regex::new(r#"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ| UTC)|"attempt":"[^"]*""#).unwrap();
        let board = fs::read_to_string(self.path("repo/board.md")).unwrap();
        End { board: passing.replace_all(&board, "…").into_owned(), finished: self.finished() }
    }

    /// Of everything that this board started.
    fn alive(&self) -> Vec<i32> {
        let mark = format!("WORLD={}\0", self.folder.path().display());
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let ours = |pid: &i32| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            String::from_utf8_lossy(&environ).contains(&mark)
        };
        pids.filter(ours).collect()
    }
}

/// Numbers that look random, the same for the same seed (SplitMix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The runner, and at times its launcher with it.
fn kill(runner: &mut Child, launcher_too: bool) {
    let pid = runner.id();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    runner.kill().unwrap();
    runner.wait().unwrap();
    for child in children.split_whitespace().filter(|_| launcher_too) {
        if let Some(child) = child.parse().ok().and_then(Pid::from_raw) {
            kill_process(child, Signal::KILL).ok();
        }
    }
}

/// Builds the program as this example was built, and tells where it is.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().nth(2).unwrap();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--bin", "kanban-codex-exec"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    folder.join("kanban-codex-exec")
}

fn main() {
    let number = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(u64))
    };
    let arguments = [number("kills", "100"), number("cards", "50"), number("seed", "1")];
    let matches = clap::Command::new("torture").args(arguments).get_matches();
    let [kills, cards, seed] = ["kills", "cards", "seed"].map(|name| *matches.get_one::<u64>(name).unwrap());
    let program = program();
    let world = || World::new(&program, cards as u32);

    let undisturbed = world();
    let began = Instant::now();
    assert!(undisturbed.start().wait().unwrap().success());
    let (end, alone) = (undisturbed.end(), began.elapsed());
    println!("undisturbed: {} executions in {:.1} s", end.finished.values().sum::<u32>(), alone.as_secs_f64());

    let mut chance = Chance(seed);
    let (mut killed, mut with_launcher, mut boards, mut started, mut interrupted, mut again) = (0, 0, 0, 0, 0, 0);
    let wanted = end.finished.values().sum::<u32>() as usize;
    while killed < kills {
        let world = world();
        let (mut instants, mut blind) = (Vec::new(), 0);
        loop {
            let instant = Duration::from_millis(chance.below(1000));
            let mut runner = world.start();
            if killed < kills {
                std::thread::sleep(instant);
            } else {
                runner.wait().unwrap();
            }
            if let Some(status) = runner.try_wait().unwrap() {
                let told = fs::read_to_string(world.path("stderr")).unwrap_or_default();
                assert!(status.success(), "{status} after {instants:?}\n{told}\n{}", world.folder.keep().display());
                break;
            }
            let both = chance.below(4) == 0;
            kill(&mut runner, both);
            instants.push(instant);
            killed += 1;
            blind += usize::from(both);
        }
        boards += 1;
        let (starts, ends, beside) = (world.told("start "), world.told("end "), world.told("beside "));
        started += starts;
        interrupted += starts - ends;
        again += ends - wanted;
        with_launcher += blind;
        let (is, alive) = (world.end(), world.alive());
        if is != end || beside > 0 || !alive.is_empty() {
            let folder = world.folder.keep();
            panic!(
                "killed after {instants:?}, {blind} times with the launcher, in {}\n{ends} of {wanted} ended, beside: \
                 {beside}, alive: {alive:?}\n{is:#?}\nnot\n{end:#?}",
                folder.display()
            );
        }
        println!("board {boards}: {killed} kills so far");
    }
    println!(
        "{killed} kills ({with_launcher} with the launcher) over {boards} boards of {cards} cards in {:.0} s: every board as \
         undisturbed, {started} executions started, {interrupted} interrupted and made up for, none repeated that was recorded as \
         finished, {again} that had just come to their end when nobody was left to tell, none beside another, no process left",
        began.elapsed().as_secs_f64()
    );
}
