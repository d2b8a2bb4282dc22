//! `board`: what people run first on a board of their own.

use serde_json::{Value, json};

use crate::support::{World, picture};

const CARDS: &str = "- [ ] an idea #later\n- [ ] KB-1 first @made\n- [ ] KB-1 the same again\n";

#[test]
fn it_shows_columns_with_their_rules_cards_with_their_ids_and_what_is_refused() {
    let world = World::new(CARDS);
    let outcome = world.run(&["board"]).exits(0);
    let id = regex::Regex::new("kb-[0-9a-f]{8}").unwrap();
    insta::assert_snapshot!("board", id.replace_all(&outcome.stdout, "kb-…"));

    let outcome = world.run(&["board", "--format", "json"]).exits(0);
    let page: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&page["version"], &page["source"]), (&json!(1), &json!("board.md")));
    assert_eq!((&page["columns"][0]["name"], &page["columns"][0]["rule"]), (&json!("Backlog"), &Value::Null));
    let worked = &page["columns"][1];
    assert_eq!(worked["rule"], json!({"onPass": "Review", "onFail": "Needs Specs", "onExhausted": null}));
    assert_eq!((&worked["cards"][0]["title"], &worked["cards"][0]["line"]), (&json!("an idea"), &json!(5)));
    assert_eq!(page["refused"].as_array().unwrap().len(), 2, "{page}");
}

#[test]
fn it_needs_neither_rules_nor_tests_and_writes_nothing() {
    let world = World::new(CARDS);
    for file in ["transitions.yaml", "tests.txt"] {
        std::fs::remove_file(world.repo(file)).unwrap();
    }
    let before = picture(&world.path("repo"));
    world.run(&["board"]).exits(0).says("an idea").says("no rule");
    assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0]);
}

#[test]
fn what_is_wrong_with_the_rules_is_told_after_the_board() {
    let world = World::new(CARDS).with("transitions.yaml", "statuses:\n  In Progres:\n    onPass: Done\n");
    world.run(&["board"]).exits(2).says("an idea").warns("transitions.yaml:2").warns("In Progress");
}
