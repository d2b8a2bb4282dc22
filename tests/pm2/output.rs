//! What reaches PM2's log files: the report's few lines, whatever codex prints.

use std::fs::{self, OpenOptions};

use super::{APP, Pm2, RULES};
use crate::support::World;
use crate::support::board::cards;

/// In KiB, of a process.
fn peak(pid: i64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_hundred_megabytes_of_codexs_output_are_neither_logged_nor_held() {
    let flood = "yes 'a line of what codex prints' | head -c 100000000; yes 'a line of a log' | head -c 100000000 >&2";
    let world = World::new(&cards(2)).with("transitions.yaml", RULES).codex(&format!("{flood}; make made"));
    let Some(pm2) = Pm2::new(world, "") else { return };
    pm2.start();
    let daemon = pm2.text("pm2.pid").trim().parse().unwrap();
    let before = peak(daemon);
    pm2.until_done(2);
    pm2.assert_executed_once(2);
    let runner = peak(pm2.app()["pid"].as_i64().unwrap());
    assert!(runner < 64 << 10, "the runner: {runner} KiB");
    let grown = peak(daemon) - before;
    assert!(grown < 32 << 10, "PM2's daemon: {grown} KiB more");
    let size = pm2.log("out").len() + pm2.log("error").len();
    assert!((1..10_000).contains(&size), "{size} bytes: {}", pm2.told());
    pm2.does(&["kill"]);
    pm2.assert_nothing_is_left("at the end");
}

/// A file a stream, over restarts; what the README says of rotation holds.
#[test]
fn a_log_file_that_is_cut_goes_on_at_its_beginning() {
    let world = World::new(&cards(1)).with("transitions.yaml", RULES);
    let Some(pm2) = Pm2::new(world, "") else { return };
    pm2.start();
    pm2.until_done(1);
    let waits = || pm2.log("out").ends_with(": for the board to change\n");
    pm2.until("the report", waits);
    pm2.does(&["restart", APP]);
    pm2.until("the new run's report", || pm2.log("out").matches("board     ").count() == 2 && waits());
    let logs = || {
        let entries = fs::read_dir(pm2.world.path("pm2/logs")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(logs(), [format!("{APP}.error.log"), format!("{APP}.out.log")]);

    let out = pm2.world.path("pm2/logs").join(format!("{APP}.out.log"));
    let copytruncate = || OpenOptions::new().write(true).open(&out).unwrap().set_len(0).unwrap();
    let flush = || pm2.does(&["flush"]);
    let cuts: [(&str, &dyn Fn()); 2] = [("KB-2", &copytruncate), ("KB-3", &flush)];
    for (card, cut) in cuts {
        cut();
        pm2.world.edit("board.md", "## In Progress\n", &format!("## In Progress\n\n- [ ] {card} a new one @made\n"));
        pm2.until("its report", || pm2.log("out").contains("PROMOTED") && waits());
        assert!(pm2.log("out").starts_with(&format!("start     {card}")), "{}", pm2.told());
    }
}
