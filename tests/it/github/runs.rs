//! What a run does to a project.

use super::server::{Comment, Kind, Project};
use super::world;
use crate::support::World;

const MARK: &str = "<!-- kanban-codex-exec PVTI_";

#[test]
fn issues_pull_requests_and_drafts_are_promoted_with_one_comment_each() {
    let project = Project::new(&["KB-1 an issue @made"]);
    project.add(Kind::PullRequest, "In Progress", "KB-2 a pull request", "It asks for @made.\r\n\r\n- and a list\r\n");
    project.add(Kind::Draft, "Review", "KB-3 a draft @made", "Words of a person.");
    project.add(Kind::Issue, "Backlog", "KB-4 parked @made", "");
    project.add(Kind::Issue, "", "KB-5 without status @made", "");
    let world = world(&project);
    world.run(&["run"]).exits(0).says("5 promoted");
    assert_eq!(project.places(), ["KB-1: Done", "KB-2: Done", "KB-3: Done", "KB-4: Backlog", "KB-5: No Status"]);
    for card in ["KB-1", "KB-2"] {
        let comments = project.comments(card);
        assert_eq!(comments.len(), 1, "{comments:?}");
        assert!(comments[0].starts_with(MARK) && comments[0].contains("passed Review → Done"), "{comments:?}");
    }
    let draft = project.with(|state| state.item("KB-3").body.clone());
    assert!(draft.starts_with("Words of a person.\n\n<!-- kanban-codex-exec PVTI_3 -->\n"), "{draft}");
    assert!(draft.contains("passed Review → Done"), "{draft}");
    assert_eq!(
        world.prompt("PVTI_2.1"),
        "Implement the card.\n\nKB-2 a pull request\n\nIt asks for @made.\n\n- and a list"
    );
    assert_eq!(world.executions().len(), 5);
    world.run(&["run"]).exits(0).says("0 promoted");
    assert_eq!(world.executions().len(), 5);
}

#[test]
fn tests_are_found_by_labels_however_many_a_card_has() {
    let project = Project::new(&["KB-1 nothing in its text"]);
    project.with(|state| {
        let labels = (0..230).map(|number| format!("label-{number}")).chain(["lab".to_owned()]);
        state.item("KB-1").labels = labels.collect();
    });
    let tests = "@x #lab Something :: includes[made/*.txt]:made for KB\n";
    world(&project).with("tests.txt", tests).run(&["run", "--max-cards", "1"]).exits(0).says("2 promoted");
    assert!(project.asked("Labels") >= 3);
}

#[test]
fn a_bounce_is_told_in_one_comment_that_is_found_among_those_of_others() {
    let project = Project::new(&["KB-1 fails @made"]);
    let forged = "<!-- kanban-codex-exec PVTI_1 -->\nforged";
    project.with(|state| {
        let comment = |number| Comment { id: format!("IC_other{number}"), body: forged.to_owned(), mine: false };
        state.item("KB-1").comments = (0..60).map(comment).collect();
    });
    let world = world(&project).codex("true");
    world.run(&["run"]).exits(0).says("1 bounced");
    assert_eq!(project.places(), ["KB-1: Needs Specs"]);
    let first = project.comments("KB-1");
    assert!(first.len() == 1 && first[0].contains("bounced In Progress → Needs Specs"), "{first:?}");
    // More than a page of comments later, somebody moves it back.
    project.with(|state| {
        let comment = |number| Comment { id: format!("IC_later{number}"), body: forged.to_owned(), mine: false };
        state.item("KB-1").comments.extend((0..120).map(comment));
        state.place("KB-1", "In Progress");
    });
    world.codex("make made").run(&["run"]).exits(0).says("2 promoted");
    let second = project.comments("KB-1");
    assert!(second.len() == 1 && second[0].contains("passed Review → Done"), "{second:?}");
    let others = project.with(|state| state.item("KB-1").comments.iter().filter(|it| it.body == forged).count());
    assert_eq!(others, 180);
}

#[test]
fn what_a_comment_says_notifies_nobody() {
    let project = Project::new(&["KB-1 fails @made"]);
    let rules = "statuses: { In Progress: { prompt: Go., onPass: Done, evidence: changes, beforeTransition: { shell: ./no.sh } } }\n";
    let world = world(&project)
        .with("transitions.yaml", rules)
        .program("no.sh", "#!/bin/sh\necho 'ask @everyone about #1 <b>'; exit 1\n");
    world.run(&["run"]).exits(0);
    let comments = project.comments("KB-1");
    let line = comments[0].lines().nth(1).unwrap();
    assert!(line.starts_with("**kanban-codex-exec** ` ") && line.ends_with(" `"), "{line}");
    assert!(line.contains("ask @everyone about #1 <b>"), "{line}");
}

#[test]
fn the_token_reaches_neither_codex_nor_anything_that_is_kept() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project).codex("env >\"$WORLD/env\"; make made");
    world.run(&["run", "--log-level", "trace"]).exits(0);
    let env = std::fs::read_to_string(world.path("env")).unwrap();
    assert!(!env.contains(super::TOKEN), "{env}");
    for (path, bytes) in crate::support::picture(&world.path("repo")).files() {
        assert!(!String::from_utf8_lossy(bytes).contains(super::TOKEN), "{}", path.display());
    }
}

#[test]
fn what_only_looks_changes_nothing_and_a_second_run_is_locked_out() {
    let project = Project::new(&["KB-1 first @made"]);
    let world = world(&project).codex("wait_for go; make made");
    for command in ["print-plan", "dry-run"] {
        world.run(&[command]).exits(0).says("KB-1");
    }
    world.run(&["explain", "KB-1 first @made"]).exits(0).says("PVTI_1");
    let writes = |project: &Project| ["Move", "AddComment", "EditComment"].map(|name| project.asked(name));
    assert_eq!(writes(&project), [0, 0, 0]);
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    let address = project.url();
    let shown = address.trim_start_matches("http://").trim_end_matches("/graphql");
    let other = ["run", "--workspace", world.path("home").to_str().unwrap(), "--source", "me/1"].map(str::to_owned);
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    world.run_beside(&other).exits(1).warns(&format!("another run holds the board {shown}/me/1"));
    std::fs::write(world.path("go"), "").unwrap();
    running.outcome().exits(0).says("2 promoted");
    // A card in a column that no run works is read as a whole, for its tests are found by its text.
    let report = world.run(&["report", "--format", "json"]).exits(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let card = &report["cards"][0];
    assert_eq!((&card["column"], &card["fate"]), (&"Done".into(), &"passed".into()), "{card}");
    assert_eq!(card["selection"]["tests"][0]["id"], "made", "{card}");
}

#[test]
fn a_missing_column_is_made_only_where_the_others_keep_their_ids() {
    let rules = "createColumns: true\nstatuses: { In Progress: { prompt: Go., onPass: Shipped, evidence: changes } }\n";
    let with = |project: &Project| -> World { world(project).with("transitions.yaml", rules) };
    let project = Project::of(super::schema::newer(), &["KB-1 first @made"]);
    let ids = |project: &Project| project.with(|state| state.options.clone());
    let before = ids(&project);
    with(&project).run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(project.places(), ["KB-1: Shipped"]);
    let after = ids(&project);
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().zip(&after).all(|(one, other)| one.id == other.id && one.name == other.name));

    let project = Project::new(&["KB-1 first @made"]);
    let world = with(&project);
    let refused = world.run(&["run"]).exits(1).warns("no column `Shipped`").warns("taking the status from every card");
    refused.warns("settings of the project's field Status");
    assert_eq!((project.asked("SetColumns"), project.asked("Move")), (0, 0));
    // What was asked for: then the verdict that is owed is carried out, without codex.
    project.with(|state| {
        let id = state.new_id("opt");
        state.options.push(super::server::Choice { id, name: "Shipped".into() });
    });
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!((project.places(), world.executions().len()), (vec!["KB-1: Shipped".to_owned()], 1));
}

#[test]
fn init_writes_rules_for_the_columns_of_a_project() {
    let project = Project::new(&["KB-1 an issue @made"]);
    let world = world(&project);
    std::fs::remove_file(world.repo("transitions.yaml")).unwrap();
    world.run(&["init", "--pm2"]).exits(0).says("Backlog, In Progress, Review, Needs Specs, Done");
    let config = world.read("kanban-codex-exec.yaml");
    assert!(config.contains("\nprovider: github\nsource: Me/1\n") && !config.contains("NUMBER"), "{config}");
    assert!(world.read("ecosystem.config.cjs").contains("{ KANBAN_PROVIDER: 'github', KANBAN_SOURCE: 'Me/1' }"));
    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(project.places(), ["KB-1: Done"]);
}

#[test]
fn what_happened_is_told_without_a_token() {
    let project = Project::new(&["KB-1 an issue @made"]);
    let world = world(&project);
    world.run(&["run"]).exits(0).says("2 promoted");
    let world = world.env("GH_TOKEN", "");
    world.run(&["history"]).exits(0).says("2 attempts: 2 pass");
    world.run(&["logs", "PVTI_1"]).exits(0).says("I did what the card says.");
    world.run(&["status"]).exits(0).says("away      GH_TOKEN: no token for GitHub").says("2 promoted");
    world.run(&["index-tests"]).exits(0).says("is up to date");
    world.run(&["board"]).exits(2).warns("no token for GitHub");
}
