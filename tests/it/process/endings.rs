//! However a job ends, its whole tree ends with it.

use std::time::{Duration, Instant};

use kanban_codex_exec::process::{Exit, Signal, Stop, Stopper, TIME_LIMIT, Watch};
use rustix::process::{Pid, Signal as Kill, kill_process};

use super::{GRACE, LONG, World, in_worlds};

/// What programs leave below them. Each line is a shell script that goes on to whatever ends it.
const TREES: [&str; 9] = [
    "NAP &",
    "(NAP; echo x) &",
    "sh -c \"trap '' INT TERM HUP; NAP; NAP; NAP\" & trap '' INT TERM HUP",
    "setsid NAP &",
    "nohup NAP >/dev/null 2>&1 &",
    "(setsid sh -c 'NAP & NAP & exit' &)",
    "NAP & kill -STOP $!",
    "env -i PATH=\"$PATH\" setsid NAP &",
    "setsid setsid sh -c 'setsid sh -c \"NAP & wait\" & wait' &",
];

/// Asks for a stop at each line of output.
struct StopAtLine(Stopper);

impl Watch for StopAtLine {
    fn stdout(&mut self, piece: &[u8], _now: Instant) {
        for _ in piece.iter().filter(|byte| **byte == b'\n') {
            self.0.ask(Signal::Terminate);
        }
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        None
    }
}

fn kill(pid: i32, signal: Kill) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Time for what was started in the background to be what it will be.
const SETTLE: &str = "sleep 0.2";

#[test]
fn a_normal_end_takes_everything_with_it() {
    in_worlds(&TREES, |world, tree| {
        let began = Instant::now();
        let ended = world.run_freely(world.job(&format!("{tree}\n{SETTLE}; exit 3")));
        assert_eq!(ended.exit, Exit::Code(3), "{tree}");
        assert!(ended.strays > 0, "{tree}");
        assert!(began.elapsed() < Duration::from_secs(20), "{tree}: waits for no pipe: {:?}", began.elapsed());
        world.assert_nothing_is_left(tree);
    });
}

#[test]
fn a_stop_takes_everything_with_it() {
    in_worlds(&TREES, |world, tree| {
        let (stopper, mut stop) = Stop::channel();
        let job = world.job(&format!("{tree}\n{SETTLE}; echo ready; NAP; NAP"));
        let ended = world.run(job, &mut StopAtLine(stopper), &mut stop);
        assert_eq!(ended.exit, Exit::Stopped, "{tree}");
        assert_eq!(stop.asked(), Some(Signal::Terminate));
        world.assert_nothing_is_left(tree);
    });
}

#[test]
fn the_time_limit_takes_everything_with_it() {
    in_worlds(&TREES, |world, tree| {
        let mut job = world.job(&format!("{tree}\nNAP; NAP"));
        job.limit = Duration::from_millis(400);
        let ended = world.run_freely(job);
        assert_eq!(ended.exit, Exit::Limit(TIME_LIMIT), "{tree}");
        assert!(ended.took >= Duration::from_millis(400), "{tree}");
        world.assert_nothing_is_left(tree);
    });
}

#[test]
fn the_runners_sudden_death_takes_everything_with_it() {
    in_worlds(&TREES, |world, tree| {
        let mut runner = world.separate_runner(&format!("{tree}\n{SETTLE}; echo >ready; NAP; NAP"));
        world.wait_for("ready");
        runner.kill().unwrap();
        runner.wait().unwrap();
        let began = Instant::now();
        while !world.left().is_empty() && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        world.assert_nothing_is_left(tree);
        let report = world.wait_for_exit_report();
        assert_eq!(report["ended_by"], "control", "{tree}: {report}");
    });
}

#[test]
fn the_launchers_sudden_death_takes_everything_with_it() {
    in_worlds(&TREES, |world, tree| {
        let ended = world.run_freely(world.job(&format!("{tree}\n{SETTLE}; kill -KILL $PPID; NAP; NAP")));
        if tree.contains("env -i") {
            // Without marker and without parent nothing tells whose it is: the one case that is lost, ended here.
            world.kill_by_name();
        }
        assert_eq!(ended.exit, Exit::Outside, "{tree}");
        assert!(ended.strays > 0, "{tree}");
        world.assert_nothing_is_left(tree);
    });
}

#[test]
fn what_a_killed_runner_and_a_killed_launcher_left_is_ended_by_the_next_run() {
    let marked: Vec<&str> = TREES.into_iter().filter(|tree| !tree.contains("env -i")).collect();
    in_worlds(&marked, |world, tree| {
        let script = format!("{tree}\n{SETTLE}; echo $PPID >launcher; NAP; NAP");
        let mut runner = world.separate_runner(&script);
        let launcher = world.wait_for("launcher").parse().unwrap();
        // Frozen, so that the one does not see the other's death.
        kill(i32::try_from(runner.id()).unwrap(), Kill::STOP);
        kill(launcher, Kill::KILL);
        runner.kill().unwrap();
        runner.wait().unwrap();
        assert_ne!(world.spawner.strays(), [], "{tree}");
        let killed = super::block_on(world.spawner.end_strays(GRACE)).unwrap();
        assert!(killed > 0, "{tree}");
        world.assert_nothing_is_left(tree);
        assert_eq!(super::block_on(world.spawner.end_strays(GRACE)).unwrap(), 0, "{tree}");
    });
}

#[test]
fn limits_beyond_what_a_clock_can_count_are_no_limits() {
    let world = World::new();
    let mut job = world.job("exit 6");
    (job.limit, job.grace) = (Duration::MAX, Duration::MAX);
    assert_eq!(world.run_freely(job).exit, Exit::Code(6));
    let (stopper, mut stop) = Stop::channel();
    let mut job = world.job("echo ready; NAP & wait");
    (job.limit, job.grace) = (Duration::MAX, Duration::MAX);
    assert_eq!(world.run(job, &mut StopAtLine(stopper), &mut stop).exit, Exit::Stopped);
    world.assert_nothing_is_left("no limits");
}

#[test]
fn a_second_stop_takes_the_grace() {
    let world = World::new();
    let (stopper, mut stop) = Stop::channel();
    let mut job = world.job("trap 'echo again' INT; echo once; while :; do NAP & wait; done");
    job.grace = LONG;
    let ended = world.run(job, &mut StopAtLine(stopper), &mut stop);
    assert_eq!(ended.exit, Exit::Stopped);
    assert!(ended.took < LONG / 4, "{:?}", ended.took);
    world.assert_nothing_is_left("a second stop");
}

#[test]
fn a_frozen_launcher_is_ended_with_its_tree() {
    let world = World::new();
    let mut job = world.job("setsid NAP & kill -STOP $PPID; NAP; NAP");
    job.limit = Duration::from_millis(400);
    let ended = world.run_freely(job);
    assert_eq!(ended.exit, Exit::Limit(TIME_LIMIT));
    assert!(ended.took < LONG / 4, "{:?}", ended.took);
    world.assert_nothing_is_left("a frozen launcher");
}

#[test]
fn a_frozen_program_is_ended() {
    let world = World::new();
    let mut job = world.job("kill -STOP $$; NAP");
    job.limit = Duration::from_millis(400);
    assert_eq!(world.run_freely(job).exit, Exit::Limit(TIME_LIMIT));
    world.assert_nothing_is_left("a frozen program");
}

#[test]
fn a_program_that_ends_well_when_it_is_asked_to_was_still_ended() {
    let world = World::new();
    let mut job = world.job("trap 'echo late; exit 0' INT; echo early; NAP & wait");
    job.limit = Duration::from_millis(1500);
    job.grace = LONG;
    let ended = world.run_freely(job);
    assert_eq!(ended.exit, Exit::Limit(TIME_LIMIT));
    assert_eq!(ended.stdout.tail, "early\nlate\n", "what is printed after the limit is kept");
    assert!(ended.took < LONG / 4, "{:?}", ended.took);
    world.assert_nothing_is_left("an early end");
}

#[test]
fn a_signal_to_the_launcher_is_no_end_of_the_programs_own() {
    in_worlds(&["INT", "TERM", "HUP"], |world, signal| {
        let ended = world.run_freely(world.job(&format!("NAP & kill -{signal} $PPID; NAP")));
        assert_eq!(ended.exit, Exit::Outside, "{signal}");
        world.assert_nothing_is_left(signal);
    });
}

#[test]
fn a_signal_to_the_program_is_told() {
    in_worlds(&[("KILL", 9), ("SEGV", 11), ("INT", 2)], |world, (signal, number)| {
        let ended = world.run_freely(world.job(&format!("kill -{signal} $$; NAP")));
        assert_eq!(ended.exit, Exit::Signal(*number), "{signal}");
        world.assert_nothing_is_left(signal);
    });
}

/// Bears 1.5 seconds without output.
struct Impatient(Instant);

impl Watch for Impatient {
    fn stdout(&mut self, _piece: &[u8], now: Instant) {
        self.0 = now + Duration::from_millis(1500);
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        Some((self.0, "too silent"))
    }
}

#[test]
fn silence_ends_a_job_and_life_does_not() {
    let world = World::new();
    let lively = "for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done";
    let mut watch = Impatient(Instant::now() + LONG);
    assert_eq!(world.run(world.job(lively), &mut watch, &mut Stop::never()).exit, Exit::Code(0));
    let mut watch = Impatient(Instant::now() + LONG);
    let ended = world.run(world.job(&format!("{lively}; NAP")), &mut watch, &mut Stop::never());
    assert_eq!(ended.exit, Exit::Limit("too silent"));
    assert_eq!(ended.stdout.tail, "1\n2\n3\n4\n5\n6\n");
    world.assert_nothing_is_left("silence");
}

#[test]
fn a_stop_that_came_before_starts_nothing() {
    let world = World::new();
    let (stopper, mut stop) = Stop::channel();
    stopper.ask(Signal::Interrupt);
    stopper.ask(Signal::Terminate);
    assert_eq!(stop.asked(), Some(Signal::Interrupt), "the first counts");
    let ended = world.run(world.job("touch ran"), &mut (), &mut stop);
    assert_eq!(ended.exit, Exit::Stopped);
    assert!(!world.path("ran").exists() && !world.path("record").exists());
}

#[test]
fn a_signal_to_the_runner_stops_the_job() {
    in_worlds(&[Kill::INT, Kill::TERM, Kill::HUP], |world, signal| {
        let mut runner = world.separate_runner("setsid NAP & echo >ready; NAP; NAP");
        world.wait_for("ready");
        kill(i32::try_from(runner.id()).unwrap(), *signal);
        assert_eq!(world.wait_for("runner.exit"), "Stopped", "{signal:?}");
        runner.wait().unwrap();
        world.assert_nothing_is_left("a signal");
    });
}

#[test]
fn a_dropped_run_ends_in_the_background() {
    let world = World::new();
    super::block_on(async {
        let (mut watch, mut stop) = ((), Stop::never());
        let run = world.spawner.run(world.job("setsid NAP & NAP"), &mut watch, &mut stop);
        assert!(tokio::time::timeout(Duration::from_millis(400), run).await.is_err());
    });
    let began = Instant::now();
    while !world.left().is_empty() && began.elapsed() < LONG / 4 {
        std::thread::sleep(Duration::from_millis(20));
    }
    world.assert_nothing_is_left("a dropped run");
}

#[test]
fn dead_orphans_are_reaped_while_the_program_works() {
    let world = World::new();
    let script = "for i in 1 2 3 4 5 6 7 8 9; do sh -c 'sleep 0.1 &'; done; sleep 1
        cat /proc/[0-9]*/stat 2>/dev/null | awk -v p=$PPID '$3 == \"Z\" && $4 == p' | wc -l";
    let ended = world.run_freely(world.job(script));
    assert_eq!(ended.stdout.tail.trim(), "0");
}

impl World {
    fn wait_for_exit_report(&self) -> serde_json::Value {
        let began = Instant::now();
        loop {
            if let Ok(json) = std::fs::read(self.path("record/exit.json")) {
                return serde_json::from_slice(&json).unwrap();
            }
            assert!(began.elapsed() < LONG, "no exit.json");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills what has this world's own sleep as its command line.
    fn kill_by_name(&self) {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&self.nap)
                && let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok())
            {
                kill_process(Pid::from_raw(pid).unwrap(), Kill::KILL).ok();
            }
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
