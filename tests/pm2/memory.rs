//! Out of memory: the kernel kills whom it likes, PM2 restarts what grew beyond a limit.

use std::fs;

use rustix::process::{Pid, Signal};

use super::{Pm2, RULES};
use crate::support::World;
use crate::support::board::cards;

fn world() -> World {
    // As the kernel sees it: the launcher is codex's parent, the runner the launcher's.
    let pids = "read -r _ _ _ runner _ <\"/proc/$PPID/stat\"; echo \"$runner $PPID $$\" >\"$WORLD/pids\"";
    let work = format!("[ -e \"$WORLD/go\" ] || {{ setsid sleep 300 & {pids}; wait_for go; }}; make made");
    World::new(&cards(1)).with("transitions.yaml", RULES).codex(&work)
}

/// PM2 takes a death by signal for exit 0, which is no stop code here.
#[test]
fn killed_as_the_kernel_does_it_loses_nothing() {
    for (place, who) in ["the runner", "the launcher", "codex"].into_iter().enumerate() {
        let Some(pm2) = Pm2::new(world(), "restart_delay: 200") else { return };
        pm2.start();
        pm2.until("codex", || pm2.world.path("waiting").exists());
        let pids = fs::read_to_string(pm2.world.path("pids")).unwrap();
        let pid = pids.split_whitespace().nth(place).unwrap().parse().unwrap();
        fs::remove_file(pm2.world.path("waiting")).unwrap();
        pm2.signal(Pid::from_raw(pid).unwrap(), Signal::KILL);
        pm2.until("codex again", || pm2.world.path("waiting").exists());
        fs::write(pm2.world.path("go"), "").unwrap();
        pm2.until_done(1);
        let killed = usize::from(who == "the runner");
        assert_eq!(pm2.ends("code [0] via signal [SIGKILL]"), killed, "{who}: {}", pm2.told());
        assert_eq!(pm2.starts(), 1 + killed, "{who}: {}", pm2.told());
        assert_eq!(pm2.world.executions().len(), 2, "{who}: {}", pm2.told());
        pm2.assert_executed_once(1);
        let numbers: Vec<_> =
            pm2.world.records("attempt_started").iter().map(|record| record["number"].clone()).collect();
        assert_eq!(numbers, [1, 1], "{who}: it cost the card no attempt");
        pm2.does(&["kill"]);
        pm2.assert_nothing_is_left(who);
    }
}

/// It counts the runner alone, which has nothing to grow by: here the limit is below what it begins with.
#[test]
fn a_restart_by_max_memory_restart_costs_the_card_nothing() {
    let world = world().env("PM2_WORKER_INTERVAL", "3000");
    let Some(pm2) = Pm2::new(world, "max_memory_restart: '1M'") else { return };
    pm2.start();
    let interrupted = || {
        let ended = pm2.world.records("attempt_ended");
        ended.iter().filter(|ended| ended["ending"]["kind"] == "interrupted").count()
    };
    pm2.until("two restarts", || interrupted() >= 2);
    fs::write(pm2.world.path("go"), "").unwrap();
    pm2.until_done(1);
    pm2.assert_executed_once(1);
    assert!(pm2.text("pm2.log").contains("exceeds --max-memory-restart"), "{}", pm2.told());
    let numbers = pm2.world.records("attempt_started");
    assert!(numbers.iter().all(|record| record["number"] == 1), "it cost the card no attempt: {numbers:?}");
    pm2.does(&["kill"]);
    pm2.assert_nothing_is_left("at the end");
}
