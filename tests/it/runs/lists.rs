//! To-do lists: one item is next, and the others are there all the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use crate::support::World;

/// A list of three items; `codex` is done with each prompt.
fn list(codex: &str, rule: &str) -> World {
    let text = "- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n- [ ] KB-3 third @made\n";
    let rules = format!("statuses: {{ Todo: {{ prompt: Implement., onPass: Done, evidence: changes{rule} }} }}\n");
    let world = World::new("").with("TODO.md", text).with("transitions.yaml", rules).codex(codex);
    std::fs::remove_file(world.repo("board.md")).unwrap();
    world
}

#[test]
fn what_passed_items_were_proven_by_is_kept_and_counts_when_one_is_unticked() {
    let world = list("[ -e made/$card.txt ] || make made", "");
    world.run(&["run"]).exits(0).says("3 promoted");
    world.run(&["run"]).exits(0);
    assert_eq!(world.records("let_go"), [] as [serde_json::Value; 0]);
    world.edit("tests.txt", "includes[made/*.txt]:made for KB\n", "includes[made/*.txt]:made for KB-\n");
    world.edit("TODO.md", "[x] KB-1", "[ ] KB-1");
    world.run(&["run"]).exits(0).says("somebody moved it Done → Todo").says("KB-1.1: passed: 1 of 1");
    assert_eq!(world.executions().len(), 3, "the gate alone was run again");
    world.run(&["replay", "KB-1.1"]).exits(0);
}

#[test]
fn every_item_of_a_list_can_be_asked_for_and_steered_by_name() {
    let world = list("make made", "");
    world.run(&["run", "--max-cards", "1"]).exits(3);
    world.run(&["explain", "KB-1"]).exits(0).says("Done, which has no rule").says("KB-1.1");
    world.run(&["explain", "KB-2"]).exits(0).says("ready");
    world.run(&["explain", "KB-3 third @made"]).exits(0).says("blocked: the next item of the list is KB-2");
    world.run(&["explain", "KB-4"]).exits(2);
    let report = world.run(&["report", "--format", "markdown"]).exits(0);
    let report = report.says("made | Done | passed | 1 of 1 required tests passed |").says("3 cards, 1 attempt");
    assert!(!report.stdout.contains("gone"), "{report}");
    world.run(&["print-plan", "--format", "human"]).exits(0).says("1 card in worked columns, 0 elsewhere");
    world.run(&["skip", "KB-3"]).exits(0);
    world.run(&["run"]).exits(0).says("1 promoted").says("KB-3 third @made [Todo]: held back by `skip`");
    world.run(&["skip", "--undo", "KB-3"]).exits(0);
    world.run(&["run"]).exits(0).says("1 promoted");
}
