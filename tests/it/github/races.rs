//! What others do meanwhile, and the runner's death in the midst of a move.

use std::fs;

use super::server::{Act, Fail, Kind, Project};
use super::world;

/// One card, one column, one move.
const RULES: &str =
    "statuses: { In Progress: { prompt: Go., onPass: Done, onFail: Needs Specs, evidence: changes } }\n";

#[test]
fn a_runner_that_dies_in_the_midst_of_a_move_ends_where_one_does_that_lives() {
    for point in ["before post Move 1", "after post Move 1", "before post AddComment 1", "after post AddComment 1"] {
        let project = Project::new(&["KB-1 first @made"]);
        let world = world(&project).with("transitions.yaml", RULES).env("KANBAN_DIE_AT", point);
        let died = world.run_beside(&["run"]);
        assert_eq!(died.code, None, "{point}: {died}");
        let world = world.env("KANBAN_DIE_AT", "");
        world.run(&["run"]).exits(0);
        assert_eq!(project.places(), ["KB-1: Done"], "{point}");
        assert_eq!((project.asked("Move"), project.asked("AddComment")), (1, 1), "{point}");
        let comments = project.comments("KB-1");
        assert!(comments.len() == 1 && comments[0].contains("passed In Progress → Done"), "{point}: {comments:?}");
        assert_eq!(world.executions().len(), 1, "{point}");
        assert_eq!(world.records("transitioned").len(), 1, "{point}");
        world.run(&["run"]).exits(0).says("0 promoted");
    }
}

#[test]
fn a_change_whose_answer_is_lost_is_made_once() {
    for (operation, kind) in
        [("Move", Kind::Issue), ("AddComment", Kind::Issue), ("Move", Kind::Draft), ("EditDraft", Kind::Draft)]
    {
        let project = Project::new(&[]);
        project.add(kind, "In Progress", "KB-1 first @made", "words");
        project.fail(operation, 1, Fail::Lost);
        // A second later nothing else is written.
        let world = world(&project).with("transitions.yaml", RULES).env("KANBAN_BACKOFF", "1100ms");
        world.run(&["run"]).exits(0).says("1 promoted").says("away      the board");
        assert_eq!((project.places(), project.asked(operation)), (vec!["KB-1: Done".to_owned()], 1), "{operation}");
        let body = project.with(|state| state.item("KB-1").body.clone());
        let notes = project.comments("KB-1").len() + body.matches("**kanban-codex-exec**").count();
        assert_eq!((notes, world.executions().len()), (1, 1), "{operation}");
        assert_eq!(project.asked("EditComment"), 0, "{operation}");
    }
}

#[test]
fn what_a_person_writes_in_a_draft_while_it_is_moved_stays() {
    let project = Project::new(&[]);
    project.add(Kind::Draft, "In Progress", "KB-1 first @made", "words  \r\n");
    project.meanwhile("Move", |state| state.item("KB-1").body.push_str("\r\na paragraph of a person\r\n"));
    let world = world(&project).with("transitions.yaml", RULES);
    world.run(&["run"]).exits(0).says("1 promoted");
    let body = project.with(|state| state.item("KB-1").body.clone());
    assert!(body.starts_with("words  \r\n\r\na paragraph of a person\r\n\n\n<!-- kanban-codex-exec"), "{body:?}");
    assert_eq!((project.places(), project.asked("EditDraft")), (vec!["KB-1: Done".to_owned()], 1));
}

#[test]
fn what_a_person_does_meanwhile_is_respected() {
    struct Case {
        name: &'static str,
        /// Right before the card is looked at for its move, or before the move itself.
        at: &'static str,
        act: Act,
        ends: &'static [&'static str],
        says: &'static str,
    }
    for Case { name, at, act, ends, says } in [
        Case {
            name: "moved",
            at: "Card",
            act: |state| state.place("KB-1", "Backlog"),
            ends: &["KB-1: Backlog"],
            says: "the card was moved meanwhile",
        },
        Case {
            name: "edited",
            at: "Card",
            act: |state| state.item("KB-1").body = "and in green".into(),
            ends: &["KB-1: Done"],
            says: "the card was edited meanwhile: it is worked anew",
        },
        Case {
            name: "labelled",
            at: "Card",
            act: |state| state.item("KB-1").labels.push("urgent".into()),
            ends: &["KB-1: Done"],
            says: "the card was edited meanwhile: it is worked anew",
        },
        Case {
            name: "deleted",
            at: "Card",
            act: |state| state.items.clear(),
            ends: &[],
            says: "the card is gone from the board",
        },
        Case {
            name: "archived",
            at: "Card",
            act: |state| state.item("KB-1").archived = true,
            ends: &["KB-1: In Progress"],
            says: "the card is gone from the board",
        },
        Case {
            name: "deleted between the look and the move",
            at: "Move",
            act: |state| state.items.clear(),
            ends: &[],
            says: "the card is gone from the board",
        },
        Case {
            name: "the columns were made anew, with other ids",
            at: "Move",
            act: |state| {
                for at in 0..state.options.len() {
                    let (old, new) = (state.options[at].id.clone(), state.new_id("opt"));
                    state.options[at].id = new.clone();
                    for item in state.items.iter_mut().filter(|item| item.option.as_ref() == Some(&old)) {
                        (item.option, item.listed) = (Some(new.clone()), Some(new.clone()));
                    }
                }
            },
            ends: &["KB-1: Done"],
            says: "1 promoted",
        },
        Case {
            name: "its column was renamed",
            at: "Card",
            act: |state| state.options[1].name = "Doing".into(),
            ends: &["KB-1: Doing"],
            says: "the rules work the column `In Progress`, which the board does not have any more",
        },
        Case {
            name: "the target was renamed",
            at: "Card",
            act: |state| state.options[4].name = "Finished".into(),
            ends: &["KB-1: In Progress"],
            says: "the project has no column `Done`",
        },
    ] {
        let project = Project::new(&["KB-1 first @made"]);
        project.meanwhile(at, act);
        let world = world(&project).with("transitions.yaml", RULES);
        world.run(&["run"]).exits(0).says(says);
        assert_eq!(project.places(), ends, "{name}");
        // Labels choose tests, and are no part of what codex is told.
        let anew = usize::from(name == "edited");
        assert_eq!((world.executions().len(), world.records("transitioned").len() <= 1), (1 + anew, true), "{name}");
    }
}

#[test]
fn a_card_that_a_person_moved_while_codex_worked_stays_there() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project).with("transitions.yaml", RULES).codex("wait_for go; make made");
    let outcome = world.run_while(&["run"], |_| project.with(|state| state.place("KB-1", "Review")));
    outcome.exits(0).says("the card was moved meanwhile").says("0 promoted");
    assert_eq!(project.places(), ["KB-1: Review"]);
    assert_eq!((project.asked("Move"), project.comments("KB-1").len()), (0, 0));
}

/// GitHub's list of items can be minutes late, where an item by its id is not.
#[test]
fn a_list_that_is_late_moves_nobody_twice() {
    let project = Project::new(&["KB-1 first @made", "KB-2 second @made"]);
    project.with(|state| state.lagging = true);
    let world = world(&project);
    world.run(&["run"]).exits(0).says("4 promoted");
    assert_eq!(project.places(), ["KB-1: Done", "KB-2: Done"]);
    assert_eq!((world.executions().len(), world.records("moved_by_person").len()), (4, 0));
    // So it is after a restart.
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!((world.executions().len(), project.asked("Move")), (4, 4));
}

/// A list that is changed while it is read can lack an item: the card at work is no less there.
#[test]
fn a_card_that_the_list_lacks_is_not_gone() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project).with("transitions.yaml", RULES).codex("wait_for go; make made");
    let outcome = world.run_while(&["run"], |_| project.with(|state| state.item("KB-1").unlisted = true));
    outcome.exits(0).says("1 promoted");
    assert_eq!(project.places(), ["KB-1: Done"]);
}

#[test]
fn a_move_that_is_owed_for_lack_of_a_network_is_made_by_the_next_run() {
    let project = Project::new(&["KB-1 first @made"]);
    let away = Fail::Reply { status: 502, headers: "", body: "<html>".into() };
    project.fail("Move", 5, away);
    let world = world(&project).with("transitions.yaml", RULES);
    let outcome = world.run(&["run"]).exits(4).warns("the board can't be reached 5 times in a row");
    outcome.warns("502").warns("hint: ");
    assert_eq!((project.places(), project.comments("KB-1").len()), (vec!["KB-1: In Progress".to_owned()], 0));
    assert!(fs::read_to_string(world.cache("journal.jsonl")).unwrap().contains("transition_started"));
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!((project.places(), world.executions().len()), (vec!["KB-1: Done".to_owned()], 1));
}
