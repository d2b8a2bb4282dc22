//! Jobs with real processes: whatever they do, they end, nothing of them is left, and memory stays flat.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod endings;
mod output;
mod starting;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kanban_codex_exec::process::{Ended, Input, Job, Spawner, Stop, Watch};
use kanban_codex_exec::redact::Redactor;
use kanban_codex_exec::storage::{Places, RunLock};

const GRACE: Duration = Duration::from_millis(300);
/// Far beyond what any of these jobs may take.
const LONG: Duration = Duration::from_secs(60);

/// A board of its own in a folder of its own.
struct World {
    folder: tempfile::TempDir,
    spawner: Spawner,
    _lock: RunLock,
    /// A duration for `sleep` that no other process of the machine has: what is left is found by it, marker or not.
    nap: String,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let (spawner, lock) = runner(folder.path());
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let nap = format!("300.{}{:04}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        World { folder, spawner, _lock: lock, nap }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `NAP` in the script is a sleep of five minutes.
    fn job(&self, script: &str) -> Job {
        shell(self.folder.path(), &script.replace("NAP", &format!("sleep {}", self.nap)))
    }

    fn run(&self, job: Job, watch: &mut dyn Watch, stop: &mut Stop) -> Ended {
        block_on(self.spawner.run(job, watch, stop)).unwrap()
    }

    fn run_freely(&self, job: Job) -> Ended {
        self.run(job, &mut (), &mut Stop::never())
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("record/stdout.log")).unwrap()).into_owned()
    }

    /// The command lines of what is still running of this world.
    fn left(&self) -> Vec<String> {
        let mut left: Vec<String> = self.spawner.strays().into_iter().map(|stray| stray.command).collect();
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        left.extend(lines.filter(|line| line.contains(&self.nap)));
        left
    }

    fn assert_nothing_is_left(&self, what: &str) {
        assert_eq!(self.left(), [] as [String; 0], "{what}");
    }

    /// Waits for a file that a script makes.
    fn wait_for(&self, name: &str) -> String {
        let began = Instant::now();
        loop {
            match fs::read_to_string(self.path(name)) {
                Ok(text) if text.ends_with('\n') => return text.trim_end().to_owned(),
                _ => assert!(began.elapsed() < LONG, "{name} never came"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A runner in a process of its own, which can be killed.
    fn separate_runner(&self, script: &str) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["process::a_runner_of_its_own", "--exact", "--ignored", "--nocapture"])
            .env("TEST_RUNNER_FOLDER", self.folder.path())
            .env("TEST_RUNNER_SCRIPT", script.replace("NAP", &format!("sleep {}", self.nap)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn runner(folder: &Path) -> (Spawner, RunLock) {
    let board = folder.join("board.md");
    // Two processes share a world in some tests: the marker is what counts there, so each has its own lock folder.
    let locks = folder.join(format!("locks-{}", std::process::id()));
    let lock = RunLock::acquire(
        &locks,
        Places {
            source: &board.to_string_lossy(),
            workspace: folder,
            seen_from: &[],
            cache_dir: &folder.join("cache"),
        },
        "test",
    )
    .unwrap()
    .unwrap();
    (Spawner::new(&lock).launched_by(env!("CARGO_BIN_EXE_kanban-codex-exec")), lock)
}

fn shell(folder: &Path, script: &str) -> Job {
    Job {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        folder: folder.to_owned(),
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")))],
        stdin: Input::Null,
        record: folder.join("record"),
        stdout_name: "stdout.log".into(),
        stderr_name: "stderr.log".into(),
        limit: LONG,
        grace: GRACE,
        keep: 1 << 20,
        redactor: Redactor::default(),
    }
}

/// A run can be moved to another thread, so that its caller is free in the choice of a runtime.
fn block_on<T>(future: impl Future<Output = T> + Send) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs every case in a world of its own, all at once: they mostly wait.
fn in_worlds<C: Sync>(cases: &[C], test: impl Fn(&World, &C) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(&World::new(), case));
        }
    });
}

/// Not a test: what [`World::separate_runner`] starts. Writes how the job ended
/// into `runner.exit`, its own greatest memory use and the sizes of both streams into `runner.kib`.
#[test]
#[ignore = "the tests here start it as a process of its own"]
fn a_runner_of_its_own() {
    let (Some(folder), Ok(script)) = (std::env::var_os("TEST_RUNNER_FOLDER"), std::env::var("TEST_RUNNER_SCRIPT"))
    else {
        return;
    };
    let folder = PathBuf::from(folder);
    let (spawner, _lock) = runner(&folder);
    let ended = block_on(async {
        let mut stop = Stop::on_signals().unwrap();
        spawner.run(shell(&folder, &script), &mut (), &mut stop).await.unwrap()
    });
    fs::write(folder.join("runner.exit"), format!("{:?}\n", ended.exit)).unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib = peak.trim().trim_end_matches(" kB");
    fs::write(folder.join("runner.kib"), format!("{kib} {} {}\n", ended.stdout.total, ended.stderr.total)).unwrap();
}
