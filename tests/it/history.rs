//! `history`: what was tried and what became of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};

use crate::status::settled;
use crate::support::{RULES, World, picture};

#[track_caller]
fn history(world: &World, args: &[&str]) -> Value {
    let args: Vec<&str> = ["history", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    serde_json::from_str(&world.run(&args).exits(0).stdout).unwrap()
}

fn outcomes(history: &Value) -> Vec<String> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let entries = history["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| format!("{} {} {}", text(entry, "attempt"), text(entry, "outcome"), text(entry, "to")))
        .collect()
}

#[test]
fn every_attempt_and_refusal_is_told_newest_last_with_a_total() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made @checked\n- [ ] KB-3 nothing knows it\n")
        .with("transitions.yaml", RULES.replace("onFail: Needs Specs", "onFail: Needs Specs\n    require: 1"))
        .codex("[ $card = KB-2 ] || make made");
    let before = picture(&world.path("repo"));
    world.run(&["history"]).exits(0).says("nothing   was tried yet");
    assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0], "nothing is written");
    world.run(&["run"]).exits(0);
    let page = world.run(&["history"]).exits(0);
    insta::assert_snapshot!("history", settled(&page.stdout));
    let all = history(&world, &[]);
    let expected = ["KB-1.1 pass Review", "KB-2.1 fail Needs Specs", "- unverified Needs Specs", "KB-1.2 pass Done"];
    assert_eq!(outcomes(&all), expected);
    assert_eq!((&all["version"], &all["total"]["tokens"]), (&json!(1), &json!(360)));
    assert_eq!(all["entries"][0]["files"], json!(["made/KB-1.txt"]));
    assert_eq!(all["entries"][0]["tokens"], 120);
}

#[test]
fn a_card_is_found_by_id_or_title_also_where_only_the_board_knows_it() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["run"]).exits(0);
    world.edit("board.md", "## Backlog\n", "## Backlog\n\n- [ ] KB-9 later\n");
    assert_eq!(outcomes(&history(&world, &["kb-1 first @MADE"])), ["KB-1.1 pass Review", "KB-1.2 pass Done"]);
    world.run(&["history", "KB-9"]).exits(0).says("nothing   was tried yet for KB-9");
    world.run(&["history", "KB-11"]).exits(2).warns("no card `KB-11`").warns("did you mean `KB-1`?");
}

#[test]
fn what_has_no_verdict_says_what_it_came_to() {
    let world = World::new("- [ ] KB-1 first @made\n")
        .env("CODEX_BIN", "/nowhere/codex")
        .env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
    world.run(&["run"]).exits(4);
    let all = history(&world, &[]);
    assert_eq!(outcomes(&all), ["KB-1.1 infrastructure -"]);
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; move KB-1 Done");
    world.run(&["run"]).exits(0);
    assert_eq!(outcomes(&history(&world, &[])), ["KB-1.1 moved -"]);
}
