//! To-do lists: one item is next, and the others are there all the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use crate::support::World;
use crate::support::board::without_state;

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
fn what_is_put_around_an_item_meanwhile_does_not_end_it_and_cannot_have_it_worked_for_ever() {
    let edits = [
        (
            "above",
            "sed -i '1i - [ ] KB-9 new @made' TODO.md",
            "- [x] KB-9 new @made\n- [x] KB-1 first @made\n",
            "KB-1 KB-9 KB-2 KB-3",
        ),
        // Each attempt at KB-1 puts another one in: all of them, but no further one than its attempts allow.
        (
            "inside",
            "sed -i \"s/^- \\[ \\] KB-1.*/&\\n  - [ ] KB-9$n sub @made/\" TODO.md",
            "- [ ] KB-1 first @made\n  - [x] KB-92 sub @made\n  - [x] KB-91 sub @made\n",
            "KB-1 KB-91 KB-1 KB-92",
        ),
        ("itself", "sed -i 's/\\[ \\] KB-1/[x] KB-1/' TODO.md", "- [x] KB-1 first @made\n", "KB-1 KB-2 KB-3"),
    ];
    for (place, edit, expected, worked) in edits {
        let codex = format!(
            "make made; [ $card != KB-1 ] || {{ n=$(($(cat ../n 2>/dev/null || echo 0) + 1)); echo $n >../n; {edit}; }}"
        );
        let world = list(&codex, ", maxAttempts: 2");
        let outcome = world.run(&["run", "--max-cards", "9"]).exits(0);
        let text = without_state(&world.read("TODO.md"));
        let rest = if place == "inside" {
            "- [ ] KB-2 second @made\n- [ ] KB-3 third @made\n"
        } else {
            "- [x] KB-2 second @made\n- [x] KB-3 third @made\n"
        };
        assert_eq!(text, format!("{expected}{rest}"), "{place}: {outcome}");
        let executions: Vec<String> = world.executions().iter().map(|line| line.replace(" Implement.", "")).collect();
        assert_eq!(executions.join(" "), worked, "{place}: {outcome}");
        let outcome = match place {
            "above" => outcome.says("4 promoted"),
            "inside" => outcome.says("edited meanwhile").says("2 promoted"),
            _ => outcome.says("the card was moved meanwhile").says("2 promoted"),
        };
        assert!(!outcome.stdout.contains("gone from the board"), "{place}: {outcome}");
    }
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

#[test]
fn a_list_that_waits_for_an_item_says_for_which_and_why() {
    let left = "nothing left to do: the list waits for";
    let held = list("make made", "");
    held.run(&["skip", "KB-1"]).exits(0);
    let why = format!("{left} KB-1 first @made (KB-1): held back by `skip`");
    held.run(&["run"]).exits(0).says(&why);
    held.run(&["dry-run", "--format", "human"]).exits(0).says(&why);
    let exhausted = list("[ $card = KB-1 ] || make made", ", maxAttempts: 1");
    exhausted.run(&["dry-run", "--format", "human"]).exits(0).says("dry run: nothing left to do\n");
    exhausted.run(&["run"]).exits(0).says(&format!("{left} KB-1 first @made (KB-1): 1 of 1 attempts failed"));
    let unticked = list("make made", "");
    unticked.run(&["run"]).exits(0).says("nothing left to do\n");
    unticked.edit("TODO.md", "[x] KB-2", "[ ] KB-2");
    unticked.run(&["run"]).exits(0).says(&format!("{left} KB-2 second @made (KB-2): passed in attempt KB-2.1"));
    assert_eq!(held.executions().len() + exhausted.executions().len() + unticked.executions().len(), 4);
}
