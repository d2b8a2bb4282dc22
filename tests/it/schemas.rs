//! The JSON Schemas: what the program prints and reads is what they say.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use jsonschema::Validator;
use kanban_codex_exec::schema::ALL;
use serde_json::{Value, json};

use crate::support::{RULES, World};

fn validator(name: &str) -> Validator {
    let text = World::outside_git("").run(&["schema", name]).exits(0).stdout;
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name} is no schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, [] as [String; 0], "{value:#}");
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn every_schema_is_listed_and_valid() {
    let list = World::outside_git("").run(&["schema"]).exits(0).stdout;
    for schema in ALL {
        assert!(list.contains(&format!("{:<12} {}", schema.name, schema.of)), "{list}");
        assert!(jsonschema::draft202012::meta::is_valid(&schema.value()), "{}", schema.name);
    }
}

/// A board on which a card was promoted, one bounced, one is unverified; in the middle of being taken back and vetoed.
fn worked() -> World {
    let rules = RULES.replacen(
        "onFail: Needs Specs",
        "onFail: Needs Specs\n    onFailWork: stash\n    afterTransition: { shell: 'exit 3' }",
        1,
    );
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @checked #lab\n- [ ] KB-3 nothing knows it\n")
        .with("transitions.yaml", rules)
        .codex("make made");
    world.run(&["run"]).exits(0);
    world
}

#[test]
fn what_the_commands_print_is_what_their_schema_says() {
    let world = worked();
    let commands: [(&str, &[&str]); 14] = [
        ("board", &["board"]),
        ("plan", &["print-plan"]),
        ("explain", &["explain", "KB-1"]),
        ("explain", &["explain", "KB-2"]),
        ("replay", &["replay", "KB-1.1"]),
        ("replay", &["replay", "KB-2.1", "--then"]),
        ("init", &["init"]),
        ("status", &["status"]),
        ("history", &["history"]),
        ("history", &["history", "KB-2"]),
        ("logs", &["logs", "KB-1.1"]),
        ("doctor", &["doctor"]),
        ("doctor", &["doctor", "--self-test"]),
        ("report", &["report"]),
    ];
    for (name, args) in commands {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        let value: Value = serde_json::from_str(&world.run(&args).exits(0).stdout).unwrap();
        let validator = validator(name);
        assert_valid(&validator, &value);
        let (mut older, mut other) = (value.clone(), value);
        older.as_object_mut().unwrap().remove("version");
        assert!(!validator.is_valid(&older), "{name}: the version may be missing");
        other["version"] = json!("one");
        assert!(!validator.is_valid(&other), "{name}: anything goes");
    }
}

#[test]
fn every_record_is_what_its_schema_says() {
    let world = worked();
    world.run(&["pause"]).exits(0);
    let mut records = world.run(&["run", "--format", "json"]).exits(3).events();
    records.extend(world.run(&["dry-run", "--format", "json"]).exits(0).events());
    records.extend(world.journal());
    let validator = validator("record");
    let mut seen = std::collections::BTreeSet::new();
    for record in &records {
        assert_valid(&validator, record);
        seen.insert(record["event"].as_str().unwrap());
    }
    for event in [
        "attempt_started",
        "attempt_ended",
        "judged",
        "transitioned",
        "taken_back",
        "refused",
        "hook_ended",
        "assumed",
        "summary",
    ] {
        assert!(seen.contains(event), "{event} is not in {seen:?}");
    }
    assert!(!validator.is_valid(&json!({"v": 1, "at": "2026-01-31T22:04:05Z", "event": "unheard_of"})));
}

#[test]
fn what_a_hook_reads_is_what_its_schema_says() {
    let rules = RULES.replacen("onFail: Needs Specs", "beforeTransition: { shell: 'cat >\"$WORLD/move\"' }", 1);
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules);
    world.run(&["run"]).exits(0);
    let told: Value = serde_json::from_slice(&std::fs::read(world.path("move")).unwrap()).unwrap();
    assert_valid(&validator("hook"), &told);
}

#[test]
fn settings_that_hold_are_valid_and_others_are_not() {
    let validator = validator("config");
    let scaffold = World::outside_git("");
    scaffold.run(&["init"]).exits(0);
    for text in [
        include_str!("../../examples/kanban-codex-exec.yaml"),
        &scaffold.read("kanban-codex-exec.yaml"),
        "",
        "codex: { args: [--search] }\nfile: { keys: { status: state } }\nenv: GH_TOKEN\nthreshold: 0.2\nwatch: true\n",
    ] {
        let world = World::outside_git("- [ ] KB-1 first @made\n")
            .with("kanban-codex-exec.yaml", text.replace("workspace", "# workspace"));
        world.run(&["print-plan"]).exits(0);
        assert_valid(&validator, &yaml(text));
    }
    for text in ["maxCardss: 3", "codex: { arg: x }", "format: xml", "threshold: 2", "watch: 3", "model: [a]", "- a"] {
        let world = World::outside_git("").with("kanban-codex-exec.yaml", text);
        world.run(&["print-plan"]).exits(2);
        assert!(!validator.is_valid(&yaml(text)), "{text}");
    }
}

#[test]
fn rules_that_hold_are_valid_and_others_are_not() {
    let validator = validator("transitions");
    let scaffold = World::outside_git("");
    std::fs::remove_file(scaffold.repo("transitions.yaml")).unwrap();
    scaffold.run(&["init"]).exits(0);
    let whole = "statuses: { In Progress: { k: 5, require: 2, threshold: 0.3, guardPaths: a, evidence: message, onFailWork: revert, onPass: Done }, 7: }\ncreateColumns: true\n";
    for text in [include_str!("../../examples/transitions.yaml"), &scaffold.read("transitions.yaml"), RULES, whole] {
        assert_valid(&validator, &yaml(text));
    }
    for text in [
        "statuses: { In Progress: { onPas: Done } }",
        "statuses: { In Progress: { maxAttempts: 0 } }",
        "statuses: { In Progress: { evidence: [chnages] } }",
        "statuses: { In Progress: { beforeTransition: { sh: x } } }",
        "statuses: { In Progress: { onFailWork: drop } }",
        "statuses: { In Progress: 3 }",
        "createColumns: true",
    ] {
        let world = World::outside_git("").with("transitions.yaml", text);
        world.run(&["print-plan"]).exits(2);
        assert!(!validator.is_valid(&yaml(text)), "{text}");
    }
}
