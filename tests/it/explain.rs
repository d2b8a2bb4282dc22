//! `explain CARD`: why a card stands where it does, on one page.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use serde_json::{Value, json};

use crate::support::{RULES, World, picture, wait_until};

/// Cards find some of these by their words; `@shed-door` is too unlike the card, `@shed-roof-2` too like another test.
const TESTS: &str = "\
@always #always Nothing is left to do :: excludes:TODO
@shed-roof The bicycle shed has a roof :: includes[made/*.txt]:made for KB
@shed-paint The bicycle shed is painted green :: includes[made/*.txt]:painted
@shed-runs The bicycle shed opens :: shell:sh open.sh
@far Nothing here belongs to any of the cards, the weather, a shed or whatever else :: includes:far
";

fn shed() -> World {
    World::new("- [ ] KB-1 bicycle shed with a roof @made\n").with("tests.txt", TESTS)
}

#[track_caller]
fn explained(world: &World, args: &[&str]) -> Value {
    let args: Vec<&str> = ["explain", "--format", "json"].into_iter().chain(args.iter().copied()).collect();
    serde_json::from_str(&world.run_beside(&args).exits(0).stdout).unwrap()
}

fn ids(tests: &Value) -> Vec<&str> {
    tests.as_array().unwrap().iter().map(|test| test["id"].as_str().unwrap()).collect()
}

#[test]
fn a_card_that_was_never_worked_is_explained_from_its_plan() {
    let page = shed().run(&["explain", "KB-1"]).exits(0);
    insta::assert_snapshot!("explained_before", page.stdout);
}

#[test]
fn tests_that_a_card_names_are_counted_whatever_the_selection_is_bound_by() {
    let (names, tests): (String, String) =
        (1..=7).map(|n| (format!(" @t{n}"), format!("@t{n} :: includes:word{n}\n"))).unzip();
    let world = World::new(&format!("- [ ] KB-1 first{names}\n")).with("tests.txt", tests);
    world.run(&["explain", "KB-1"]).exits(0).says("1 of 7 tests; evidence:");
}

#[test]
fn a_card_that_bounced_is_explained_with_what_its_attempt_proved() {
    let world = World::new("- [ ] KB-1 first @made @checked\n")
        .with("transitions.yaml", RULES.replace("onFail: Needs Specs", "maxAttempts: 2\n    require: 2"))
        .codex("make made");
    world.run(&["run"]).exits(0);
    let page = world.run(&["explain", "KB-1"]).exits(0);
    insta::assert_snapshot!("explained_after", page.stdout);
    let explained = explained(&world, &["KB-1"]);
    assert_eq!(explained["earlier"], 1);
    assert_eq!(explained["attempt"]["id"], "KB-1.2");
    assert_eq!(explained["plan"]["verdict"], "exhausted");
}

#[test]
fn the_selection_is_the_one_that_print_plan_shows_and_the_loop_runs() {
    let world = shed();
    let plan: Value = serde_json::from_str(&world.run(&["print-plan", "--format", "json"]).exits(0).stdout).unwrap();
    let explained = explained(&world, &["KB-1"]);
    let (planned, plan) = (&plan["cards"][0], &explained["plan"]);
    assert_eq!(ids(&plan["tests"]), ids(&planned["tests"]));
    for key in ["verdict", "reason"] {
        assert_eq!(plan[key], planned[key]);
    }
    for (ranked, planned) in plan["tests"].as_array().unwrap().iter().zip(planned["tests"].as_array().unwrap()) {
        for key in ["text", "similarity", "score", "blocked"] {
            assert_eq!(ranked[key], planned[key], "{ranked}");
        }
    }
    world.run(&["run"]).exits(0);
    assert_eq!(world.records("attempt_started")[0]["tests"], json!(ids(&plan["tests"])));
}

#[test]
fn the_object_has_a_version_and_says_which_limit_cut() {
    let world = shed();
    let all = explained(&world, &["KB-1"]);
    assert_eq!(all["version"], 1);
    assert_eq!(
        (&all["plan"]["cut"], &all["plan"]["near_misses"][0]["reason"]),
        (&json!("threshold"), &json!("below_threshold"))
    );
    assert_eq!(all["plan"]["gate"]["k"], 5);
    let few = explained(&world, &["KB-1", "--k-min", "2"]);
    assert_eq!((&few["plan"]["cut"], &few["plan"]["near_misses"][0]["reason"]), (&json!("k"), &json!("beyond_k")));
    assert_eq!(ids(&few["plan"]["tests"]), ["always", "shed-roof"]);
    let words = few["plan"]["tests"][1]["words"].as_array().unwrap();
    assert!(words.contains(&json!("roof")), "{words:?}");
    let none = explained(&world, &["KB-1", "--threshold", "0"]);
    assert_eq!(none["plan"]["tests"].as_array().unwrap().len(), 5);
    assert_eq!((&none["plan"]["cut"], &none["plan"]["near_misses"]), (&json!("none"), &json!([])));
}

#[test]
fn a_test_that_is_too_like_a_chosen_one_is_told_as_crowded_out() {
    let tests = "\
@roof The bicycle shed has a roof :: includes:a
@roof-2 The bicycle shed has a good roof :: includes:b
@bell The card is about a bell, with a shed around it :: includes:c
";
    let world = World::new("- [ ] KB-1 bicycle shed roof and bell\n").with("tests.txt", tests);
    let explained = explained(&world, &["KB-1", "--k-min", "2", "--mmr-lambda", "0.3"]);
    assert_eq!(ids(&explained["plan"]["tests"]), ["roof", "bell"]);
    let near = &explained["plan"]["near_misses"][0];
    assert_eq!((&near["id"], &near["reason"]), (&json!("roof-2"), &json!("crowded_out")));
    assert!(explained["plan"]["tests"][1]["penalty"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_card_in_a_column_without_a_rule_has_no_plan_but_its_last_attempt_and_refusal() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 nothing knows it\n");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-2: Needs Specs", "KB-1: Done"]);
    let done = world.run(&["explain", "KB-1"]).exits(0);
    done.says("Done, which has no rule")
        .says("attempt   KB-1.2 in Review (1 before it)")
        .says("ok  made: made/KB-1.txt:");
    let refused = world.run(&["explain", "KB-2"]).exits(0);
    refused.says("refused   in In Progress: 0 of 1 required tests match").says("none was judged yet");
}

#[test]
fn a_pass_that_does_not_count_is_told_as_one() {
    let rules = "statuses: { In Progress: { prompt: Implement., evidence: [changes], redGreen: true } }\n";
    let tests = "@runs It runs :: shell:true\n@made :: includes[made/*.txt]:made for KB\n";
    let world = World::new("- [ ] KB-1 first @made @runs\n").with("transitions.yaml", rules).with("tests.txt", tests);
    let world = world.env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "true");
    world.run(&["run"]).exits(0);
    world.run(&["explain", "KB-1"]).exits(0).says("passed, but doesn't count: exit 0");
}

#[test]
fn a_title_finds_its_card_and_a_misspelt_one_the_card_that_was_meant() {
    let world = shed();
    world.run(&["explain", "KB-1 bicycle SHED with a roof @made"]).exits(0).says("(KB-1)");
    world.run(&["explain", "KB-11"]).exits(2).warns("no card `KB-11`").warns("did you mean `KB-1`?");
    world.run(&["explain", "something else"]).exits(2).warns("`board` lists the cards");
    world.run(&["explain"]).exits(2).warns("<CARD>");
}

#[test]
fn while_a_run_works_it_tells_the_attempt_that_is_open_and_writes_nothing() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; wait_for go");
    let outcome = world.run_while(&["run"], |world| {
        let events = world.cache("attempts/KB-1.1/events.jsonl");
        wait_until("codex's events", || std::fs::metadata(&events).is_ok_and(|data| data.len() > 0));
        let before = picture(&world.path("repo"));
        let page = world.run_beside(&["explain", "KB-1"]).exits(0);
        page.says("none was judged yet").says("KB-1.1 in In Progress has no verdict: it is at work");
        assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0]);
    });
    outcome.exits(0);
}

#[test]
fn before_and_after_a_run_it_writes_nothing() {
    let world = shed();
    for _ in 0..2 {
        let before = picture(&world.path("repo"));
        explained(&world, &["KB-1"]);
        assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0]);
        world.run(&["run"]).exits(0);
    }
    // What cannot be read does not stop it either: an attempt's folder is what a person may clean up.
    std::fs::remove_dir_all(world.cache("attempts")).unwrap();
    world.run(&["explain", "KB-1"]).exits(0).says("nothing is left of it");
}
