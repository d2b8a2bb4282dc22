//! Worlds for end-to-end tests: a board in a folder of its own, a scripted stand-in for codex, and the built program.
//!
//! Everything that a world starts carries `WORLD=its folder` in its environment, so that what it leaves is found; a world
//! that ends with a process of its own alive fails its test.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

pub mod board;
pub mod model;
pub mod mount;
pub mod processes;
pub mod stand_in;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use kanban_codex_exec::storage::sha256;
use serde_json::Value;

/// Far beyond what any run here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);

/// The rules of most worlds: two columns that are worked.
pub const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Review
    onFail: Needs Specs
    evidence: [changes]
  Review:
    prompt: Review the card.
    onPass: Done
    onFail: In Progress
    evidence: [changes]
";

/// The tests of most worlds: cards name them.
pub const TESTS: &str = "\
@made The file that a card asks for is made :: includes[made/*.txt]:made for KB
@checked The file is checked :: includes[made/*.txt]:checked for KB
";

/// A board, its tests and rules, a codex and a private home.
pub struct World {
    root: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

impl World {
    /// A git repository with `cards` in the column In Progress, `RULES`, `TESTS`, and a stand-in that makes what a card
    /// asks for.
    pub fn new(cards: &str) -> World {
        let world = World::outside_git(cards);
        world.git(&["init", "-q", "-b", "main"]);
        world
    }

    /// The same without a repository.
    pub fn outside_git(cards: &str) -> World {
        let root = tempfile::Builder::new().prefix("kanban-world-").tempdir().unwrap();
        for folder in ["repo", "home", "tmp", "codex-home", "pm2"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        let at = |name: &str| root.path().join(name).display().to_string();
        let env = [
            ("WORLD", root.path().display().to_string()),
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", at("home")),
            ("TMPDIR", at("tmp")),
            ("CODEX_HOME", at("codex-home")),
            ("PM2_HOME", at("pm2")),
            ("CODEX_BIN", at("codex")),
            ("K_REQ", "1".into()),
            ("KANBAN_BACKOFF", "10ms".into()),
            ("KANBAN_POLL_INTERVAL", "20ms".into()),
            ("KANBAN_GRACE", "1s".into()),
        ];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let world = World { root, env };
        world.write("board.md", board::with(cards));
        world.write("tests.txt", TESTS);
        world.write("transitions.yaml", RULES);
        world.codex("make made")
    }

    /// In place of what the board, the tests or the rules were.
    pub fn with(self, file: &str, text: impl AsRef<[u8]>) -> World {
        self.write(file, text);
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> World {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    /// What the stand-in does with each prompt; see [`stand_in::PRELUDE`] for its words.
    pub fn codex(self, script: &str) -> World {
        stand_in::write(&self.path("codex"), script);
        self
    }

    /// Beside the repository: not in codex's working folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn repo(&self, name: &str) -> PathBuf {
        self.path("repo").join(name)
    }

    pub fn cache(&self, name: &str) -> PathBuf {
        self.repo(".cache/kanban-codex-exec").join(name)
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.repo(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program in the repository.
    pub fn program(self, file: &str, text: &str) -> World {
        self.write(file, text);
        fs::set_permissions(self.repo(file), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub fn read(&self, file: &str) -> String {
        let path = self.repo(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn board(&self) -> String {
        self.read("board.md")
    }

    /// `KB-1: Done`, in board order.
    pub fn places(&self) -> Vec<String> {
        board::places(&self.board())
    }

    /// Edits the board as a person does: replaces the one place where `from` stands.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
        self.write(file, text.replace(from, to));
    }

    /// What an attempt was asked.
    pub fn prompt(&self, attempt: &str) -> String {
        fs::read_to_string(self.cache("attempts").join(attempt).join("prompt.md")).unwrap()
    }

    /// The journal, every line of which must be JSON.
    pub fn journal(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.cache("journal.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// As if all that is in the journal had happened so many hours earlier.
    pub fn age(&self, hours: i64) {
        let aged = |mut record: Value| {
            let at: jiff::Timestamp = record["at"].as_str().unwrap().parse().unwrap();
            record["at"] = (at - jiff::SignedDuration::from_hours(hours)).to_string().into();
            format!("{record}\n")
        };
        let text: String = self.journal().into_iter().map(aged).collect();
        fs::write(self.cache("journal.jsonl"), text).unwrap();
        let then = SystemTime::from(jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours));
        File::options().append(true).open(self.cache("journal.jsonl")).unwrap().set_modified(then).unwrap();
    }

    /// The journal's records of one event.
    pub fn records(&self, event: &str) -> Vec<Value> {
        let mut records = self.journal();
        records.retain(|record| record["event"] == event);
        records
    }

    pub fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=t", "-c", "user.email=t@localhost"]).args(args).current_dir(self.path("repo"));
        git.env_clear().env("PATH", &self.env["PATH"]).env("HOME", &self.env["HOME"]);
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Commits all of the repository, and gives it a bare one beside it that commits go to.
    pub fn commit_with_origin(&self) {
        self.git(&["init", "-q", "--bare", "../origin.git"]);
        self.git(&["remote", "add", "origin", "../origin.git"]);
        self.git(&["config", "user.name", "t"]);
        self.git(&["config", "user.email", "t@localhost"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "-qm", "start"]);
    }

    /// Runs the program to its end, after which nothing that it started may be alive.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.start(args).outcome()
    }

    /// Runs it while another of this world is at work.
    pub fn run_beside(&self, args: &[&str]) -> Outcome {
        self.start(args).outcome_alone()
    }

    /// Starts `run` and, while the stand-in is in its `wait_for go`, lets `act` change the world.
    pub fn run_while(&self, args: &[&str], act: impl FnOnce(&World)) -> Outcome {
        let running = self.start(args);
        self.wait_for("waiting");
        act(self);
        fs::write(self.path("go"), "").unwrap();
        running.outcome()
    }

    /// Until a file beside the repository is there.
    pub fn wait_for(&self, name: &str) {
        wait_until(name, || self.path(name).exists());
    }

    pub fn start(&self, args: &[&str]) -> Running<'_> {
        self.start_as(Command::new(env!("CARGO_BIN_EXE_kanban-codex-exec")), args)
    }

    /// The run locks lie outside, by design; their names are those of this world's board and workspace.
    pub fn locks(&self) -> Vec<PathBuf> {
        let folder = PathBuf::from(format!("/tmp/kanban-codex-exec-{}", rustix::process::geteuid().as_raw()));
        let repo = fs::canonicalize(self.path("repo")).unwrap_or_else(|_| self.path("repo"));
        let boards = ["board.md", "TODO.md", "desk/board.md", "backlog", "notes", "tasks.json"]
            .map(|name| format!("board\0{}", repo.join(name).display()));
        let above = repo.parent().unwrap().to_owned();
        let workspaces = [repo.join("desk"), repo, above].map(|folder| format!("workspace\0{}", folder.display()));
        let names = boards.into_iter().chain(workspaces);
        names.map(|name| folder.join(format!("{}.lock", &sha256(name.as_bytes())[..32]))).collect()
    }

    /// By way of another program that takes the command as its last arguments.
    pub fn start_as(&self, mut command: Command, args: &[&str]) -> Running<'_> {
        let output = tempfile::Builder::new().prefix("output-").tempdir_in(self.root.path()).unwrap();
        let file = |name: &str| Stdio::from(File::create(output.path().join(name)).unwrap());
        command.args(args).current_dir(self.path("repo")).env_clear().envs(&self.env);
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        Running { child: command.spawn().unwrap(), world: self, output: output.keep() }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let left = processes::end(&self.path(""));
        for lock in self.locks() {
            fs::remove_file(lock).ok();
        }
        if !std::thread::panicking() {
            assert_eq!(left, [] as [String; 0], "processes were left");
        }
    }
}

/// The program at work.
pub struct Running<'w> {
    pub child: Child,
    world: &'w World,
    output: PathBuf,
}

impl Running<'_> {
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// What it said on stdout until now.
    pub fn said(&self) -> String {
        fs::read_to_string(self.output.join("stdout")).unwrap()
    }

    /// Kills it, and it alone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, after which nothing that it started may be alive.
    pub fn outcome(self) -> Outcome {
        let left = self.world.path("");
        let outcome = self.outcome_alone();
        assert_eq!(processes::of(&left), [] as [String; 0], "processes are left: {outcome}");
        outcome
    }

    /// Waits for its end, while others of this world may go on.
    pub fn outcome_alone(mut self) -> Outcome {
        let status = self.wait();
        let read = |name: &str| String::from_utf8(fs::read(self.output.join(name)).unwrap()).unwrap();
        Outcome { code: status.code(), stdout: read("stdout"), stderr: read("stderr") }
    }

    /// The same, with the most memory that it took itself, in KiB.
    pub fn outcome_and_peak(mut self) -> (Outcome, u64) {
        let status = format!("/proc/{}/status", self.child.id());
        let mut peak = 0;
        self.wait_and(|| {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        });
        (self.outcome(), peak)
    }

    fn wait(&mut self) -> ExitStatus {
        self.wait_and(|| ())
    }

    fn wait_and(&mut self, mut look: impl FnMut()) -> ExitStatus {
        let began = Instant::now();
        loop {
            look();
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > LONG {
                self.child.kill().unwrap();
                panic!("still running: {}", self.said());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How the program ended and what it said.
pub struct Outcome {
    /// None: by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    #[track_caller]
    pub fn exits(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Stands on stdout.
    #[track_caller]
    pub fn says(self, text: &str) -> Outcome {
        assert!(self.stdout.contains(text), "{text:?} is not on stdout: {self}");
        self
    }

    /// Stands on stderr.
    #[track_caller]
    pub fn warns(self, text: &str) -> Outcome {
        assert!(self.stderr.contains(text), "{text:?} is not on stderr: {self}");
        self
    }

    /// Stdout of `--format json`: every line is a record.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Looks again and again, with a limit that no working program reaches.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A program on PATH, or None after saying that the test is skipped. Where `KANBAN_CI` is 1, nothing may be missing.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skipped(&format!("there is no {name} on PATH"));
    }
    found
}

/// The program that an environment variable names, as a path or a name, or else `name`; None as in [`program`].
pub fn program_of(variable: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var(variable).unwrap_or_else(|_| name.to_owned());
    match PathBuf::from(&named) {
        path if path.is_file() => Some(path),
        _ => program(&named),
    }
}

/// Says past the test harness, which keeps the output of tests that pass, that one was not run.
pub fn skipped(why: &str) {
    use std::io::Write;
    assert!(std::env::var("KANBAN_CI").as_deref() != Ok("1"), "nothing may be skipped here: {why}");
    let thread = std::thread::current();
    writeln!(std::io::stderr(), "skipped {}: {why}", thread.name().unwrap_or_default()).ok();
}

/// What every file and folder below `folder` holds, and when it was last written.
pub struct Picture(BTreeMap<PathBuf, (Vec<u8>, SystemTime)>);

impl Picture {
    /// The bytes alone.
    pub fn without_times(mut self) -> Picture {
        self.0.values_mut().for_each(|(_, time)| *time = SystemTime::UNIX_EPOCH);
        self
    }

    /// The bytes of each plain file; none of a folder.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, (bytes, _))| (path.as_path(), bytes.as_slice()))
    }

    /// The paths that are not the same in both.
    pub fn changes(&self, other: &Picture) -> Vec<PathBuf> {
        let all = self.0.keys().chain(other.0.keys()).collect::<std::collections::BTreeSet<_>>();
        all.into_iter().filter(|path| self.0.get(*path) != other.0.get(*path)).cloned().collect()
    }
}

pub fn picture(folder: &Path) -> Picture {
    let mut picture = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let data = fs::symlink_metadata(&path).unwrap();
            let bytes = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            picture.insert(path.clone(), (bytes, data.modified().unwrap()));
            if data.is_dir() {
                folders.push(path);
            }
        }
    }
    Picture(picture)
}
