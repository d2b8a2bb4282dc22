//! A codex that misbehaves: the loop goes on within its limits, in little memory, and nothing is left running.

use crate::support::World;
use crate::support::board::cards;

#[test]
fn a_codex_that_hangs_before_its_first_event_is_no_fault_of_the_cards() {
    for script in ["sleep 300", "trap '' TERM INT; sleep 300; sleep 300", "kill -STOP $$"] {
        let world = World::new(&cards(1)).codex(&format!("raw\n{script}"));
        let board = world.board();
        let limits = ["run", "--start-limit", "300ms", "--grace", "200ms", "--infrastructure-limit", "2"];
        world.run(&limits).exits(4).warns("start limit").warns("hint: ");
        assert_eq!(world.board(), board, "{script}");
        assert_eq!(world.executions().len(), 2, "{script}");
    }
}

#[test]
fn a_codex_that_falls_silent_at_work_fails_its_card_and_the_next_one_is_worked() {
    let silent =
        ["sleep 300", "trap '' TERM INT; while :; do sleep 1; done", "setsid sleep 300 & wait", "kill -STOP $$"];
    for script in silent {
        let work = format!("[ $card = KB-2 ] || {{ say 'I begin.'; {script}; }}; make made");
        let world = World::new(&cards(2)).codex(&work);
        world.run(&["run", "--silence-limit", "1500ms", "--grace", "200ms"]).exits(0).says("silence limit");
        assert_eq!(world.places(), ["KB-1: Needs Specs", "KB-2: Done"], "{script}");
    }
}

#[test]
fn a_codex_that_works_for_ever_is_ended_at_the_attempt_limit() {
    let world = World::new(&cards(1)).codex("while :; do say 'Still at it.'; sleep 0.05; done");
    world.run(&["run", "--attempt-limit", "3s"]).exits(0).says("time limit");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
}

#[test]
fn what_codex_leaves_running_is_ended_with_it() {
    let left =
        "setsid sleep 300 & nohup sleep 300 >/dev/null 2>&1 & (setsid sh -c 'sleep 300 & sleep 300' &) ; make made";
    let world = World::new(&cards(1)).codex(left);
    world.run(&["run"]).exits(0).says("left-over processes ended").says("2 promoted");
}

#[test]
fn floods_of_output_stay_within_bounds_of_disk_and_memory() {
    #[rustfmt::skip]
    let cases = [
        ("1 GB on stdout",                "yes 'a line that is no event' | head -c 1000000000"),
        ("1 GB on stderr",                "yes 'a line of a log' | head -c 1000000000 >&2"),
        ("100 MB without a newline",      "head -c 100000000 /dev/zero | tr '\\0' x; echo"),
        ("100 MB without any end",        "head -c 100000000 /dev/zero | tr '\\0' x >&2"),
        ("a message of 20 MB",            "printf '{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"'; head -c 20000000 /dev/zero | tr '\\0' x; echo '\"}}'"),
        ("bytes that are no text",        "head -c 50000000 /dev/urandom"),
    ];
    for (case, flood) in cases {
        let world = World::new(&cards(1)).codex(&format!("{flood}; make made"));
        let (outcome, peak) = world.start(&["run"]).outcome_and_peak();
        outcome.exits(0).says("2 promoted");
        assert!(peak < 64 << 10, "{case}: {peak} KiB");
        let size = folder_size(&world.cache("attempts/KB-1.1"));
        assert!(size < 80 << 20, "{case}: {size} bytes are kept");
    }
}

fn folder_size(folder: &std::path::Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_workspace_that_codex_fills_with_files_is_judged_all_the_same() {
    let world =
        World::new(&cards(1)).codex("mkdir -p many; for i in $(seq 3000); do echo $i >many/$i; done; make made");
    let (outcome, peak) = world.start(&["run"]).outcome_and_peak();
    outcome.exits(0).says("2 promoted");
    assert!(peak < 64 << 10, "{peak} KiB");
}
