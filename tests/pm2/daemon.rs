//! PM2 itself is killed: its app goes on without it, and a later PM2 does it no harm.

use rustix::process::{Pid, Signal};

use super::{APP, Pm2, RULES};
use crate::support::World;
use crate::support::board::cards;

/// In the middle of the first of two cards, without its daemon.
fn orphaned(other: &str) -> Option<Pm2> {
    let world =
        World::new(&cards(2)).with("transitions.yaml", RULES).codex("[ $card = KB-2 ] || wait_for go; make made");
    let pm2 = Pm2::new(world, other)?;
    pm2.start();
    pm2.does(&["save"]);
    pm2.until("codex", || pm2.world.path("waiting").exists());
    let daemon: i32 = pm2.text("pm2.pid").trim().parse().unwrap();
    pm2.signal(Pid::from_raw(daemon).unwrap(), Signal::KILL);
    pm2.until("the daemon's death", || !std::path::Path::new(&format!("/proc/{daemon}")).exists());
    Some(pm2)
}

/// Its stdout and stderr are broken pipes from then on.
fn finishes(pm2: &Pm2) {
    std::fs::write(pm2.world.path("go"), "").unwrap();
    pm2.until_done(2);
    pm2.assert_executed_once(2);
}

#[test]
fn the_orphan_works_on_and_a_second_start_is_refused_until_pm2_gives_up() {
    let Some(pm2) = orphaned("restart_delay: 50, max_restarts: 3") else { return };
    let orphan = pm2.runner();
    pm2.start();
    pm2.until("PM2 gives up", || pm2.given_up());
    // The first start is that of the daemon that was killed; PM2's log goes on.
    assert_eq!((pm2.starts(), pm2.ends("code [1]")), (4, 3), "{}", pm2.told());
    let refusal = format!("board.md: pid {},", orphan.as_raw_nonzero());
    pm2.until("each says who holds it", || pm2.log("error").matches(&refusal).count() == 3);
    finishes(&pm2);
    assert_eq!(pm2.world.records("run_started").len(), 1);

    // As the README says: end the pid that the error names, then start.
    pm2.signal(orphan, Signal::INT);
    pm2.until("the orphan's end", || pm2.left().is_empty());
    pm2.does(&["restart", APP]);
    pm2.until("the new run", || pm2.world.records("run_started").len() == 2);
    pm2.assert_executed_once(2);
}

#[test]
fn resurrected_while_the_orphan_works_it_takes_over_when_that_ends() {
    let Some(pm2) = orphaned("restart_delay: 500") else { return };
    let orphan = pm2.runner();
    pm2.does(&["resurrect"]);
    pm2.until("it is refused", || pm2.ends("code [1]") > 0);
    pm2.signal(orphan, Signal::TERM);
    pm2.until("the new run", || pm2.world.records("run_started").len() == 2);
    assert_eq!(pm2.world.records("attempt_ended")[0]["ending"]["kind"], "interrupted");
    finishes(&pm2);
    assert_eq!(pm2.status(), "online");
}
