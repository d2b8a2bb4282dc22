//! Shell tests: red before the work, green after it, on files that the work did not weaken.

use crate::support::World;
use crate::support::board::note;

/// One column; the check is green once the card's file is made.
const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Review
    onFail: Needs Specs
    evidence: [changes]
    requireChanges: true
    redGreen: true
    guardPaths: ['checks/**']
  Review:
    prompt: Review the card.
    onPass: Done
    onFail: Needs Specs
    evidence: [changes]
    redGreen: true
";
const CHECK: &str = "#!/bin/sh\n[ -e made/KB-1.txt ]\n";

fn world(cards: &str, tests: &str) -> World {
    World::new(cards)
        .with("transitions.yaml", RULES)
        .with("tests.txt", tests)
        .program("checks/made.sh", CHECK)
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "sh,true,test")
}

#[test]
fn a_check_that_was_red_and_is_green_proves_the_work() {
    let world = world("- [ ] KB-1 first @check\n", "@check :: shell:sh checks/made.sh\n");
    world.run(&["run"]).exits(0).says("2 promoted");
    let started = &world.records("attempt_started")[0];
    assert_eq!(started["red"], serde_json::json!(["@check :: shell:sh checks/made.sh"]));
}

#[test]
fn a_check_that_was_green_before_is_no_proof_and_codex_is_not_paid_for_it() {
    let world = world("- [ ] KB-1 first @check\n", "@check :: shell:true\n");
    for _ in 0..2 {
        world.run(&["run"]).exits(0).says("0 promoted");
    }
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
    assert_eq!(world.executions(), [] as [String; 0]);
    assert!(
        note(&world.board(), "KB-1")
            .contains("0 of 1 required tests can count: check is green already before the work")
    );
}

#[test]
fn a_guard_must_be_green_before_and_after_and_counts() {
    let tests = "@stays #guard :: shell:test -e keep.txt\n";
    for (work, place) in [("make made", "Done"), ("make made; rm keep.txt", "Needs Specs")] {
        let world = world("- [ ] KB-1 first @stays\n", tests).with("keep.txt", "kept\n").codex(work);
        world.run(&["run"]).exits(0);
        assert_eq!(world.places(), [format!("KB-1: {place}")], "{work}");
    }
    let world = world("- [ ] KB-1 first @stays\n", tests).codex("make made; echo kept >keep.txt");
    world.run(&["run"]).exits(0).says("stays, a #guard, is not green already before the work");
    assert_eq!(world.executions(), [] as [String; 0]);
}

/// Hangs when it is first run, and is green from then on.
const SLOW: &str = "#!/bin/sh\nmkdir begun 2>/dev/null || exit 0\nsleep 60\n";
const UNJUDGED: &str = "could not be judged before the work: the time limit was reached";

#[test]
fn what_could_not_be_judged_before_the_work_is_neither_red_nor_green() {
    let refused = format!("0 of 1 required tests can count: check {UNJUDGED}; `retry KB-1` looks again");
    for (tag, then) in [("", "check is green already before the work"), ("#guard ", "1 promoted")] {
        let world = world("- [ ] KB-1 first @check\n", &format!("@check {tag}:: shell:sh checks/slow.sh\n"))
            .with("transitions.yaml", ONE.replace("k: 2, require: 2", "require: 1"))
            .program("checks/slow.sh", SLOW)
            .env("KANBAN_TEST_LIMIT", "1s");
        world.run(&["run"]).exits(0).says(&refused);
        assert_eq!(world.executions(), [] as [String; 0], "{tag}");
        world.run(&["retry", "KB-1"]).exits(0);
        world.run(&["run"]).exits(0).says(then);
    }
}

#[test]
fn what_could_not_be_judged_before_the_first_attempt_counts_in_none_that_goes_on_with_its_work() {
    let world = world(
        "- [ ] KB-1 first @check @text\n",
        "@check :: shell:sh checks/slow.sh\n@text :: includes:nobody writes this\n",
    )
    .with("transitions.yaml", ONE.replace("k: 2, require: 2", "k: 2, require: 1"))
    .program("checks/slow.sh", SLOW)
    .env("KANBAN_TEST_LIMIT", "1s");
    world.run(&["run"]).exits(0).says("0 promoted");
    let started = world.records("attempt_started");
    assert_eq!(started.len(), 2);
    for (started, judged) in started.iter().zip(world.records("judged")) {
        assert_eq!(started["unjudged"], serde_json::json!({ "@check :: shell:sh checks/slow.sh": UNJUDGED }));
        assert_eq!(judged["tests"][0]["evidence"], format!("exit 0, but it {UNJUDGED}"), "{judged}");
    }
}

/// As under PM2 or cron, whose PATH is short.
#[test]
fn a_program_that_is_not_on_path_is_no_fault_of_the_cards() {
    let missing = "cannot start check-it: it was not found on PATH";
    let world = |rules: &str| {
        let world = world("- [ ] KB-1 first @check\n", "@check :: shell:check-it\n");
        world.with("transitions.yaml", rules).env("SHELL_TEST_ALLOWLIST", "check-it").env("KANBAN_BACKOFF", "10ms")
    };
    let rules = ONE.replace("k: 2, require: 2", "require: 1");
    let unpaid = world(&rules);
    unpaid.run(&["run"]).exits(0).says(&format!("check could not be judged before the work: {missing}"));
    assert_eq!(unpaid.executions(), [] as [String; 0]);

    let world = world(&rules.replace("redGreen: true, ", ""));
    world.run(&["run"]).exits(4).says(missing);
    assert_eq!((world.places(), world.executions().len()), (vec!["KB-1: In Progress".to_owned()], 1));
    let found = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap());
    let world = world.program("../bin/check-it", "#!/bin/sh\nexit 0\n").env("PATH", found);
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.executions().len(), 1, "what was paid is judged");
}

/// A column whose card is tried twice in place.
const ONE: &str = "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 2, evidence: [changes], \
                   redGreen: true, k: 2, require: 2 } }\n";

#[test]
fn another_header_does_not_make_another_check() {
    let world =
        world("- [ ] KB-1 first @check @text\n", "@check :: shell:sh checks/made.sh\n@text :: includes:misspelt for\n")
            .with("transitions.yaml", ONE)
            .env("KANBAN_MAX_FAILURES", "1");
    world.run(&["run"]).says("0 promoted");
    world.write("tests.txt", "@check It is made #cli :: shell:sh checks/made.sh \n@text :: includes:made for\n");
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.executions().len(), 1, "codex was paid once");
}

#[test]
fn a_check_that_is_new_after_the_work_is_not_called_green_before_it() {
    let world = world("- [ ] KB-1 first @check\n", "@check :: shell:test -e made/KB1.txt\n")
        .with("transitions.yaml", ONE.replace("k: 2, require: 2", "require: 1"))
        .env("KANBAN_MAX_FAILURES", "1");
    world.run(&["run"]).says("0 promoted");
    world.write("tests.txt", "@check :: shell:test -e made/KB-1.txt\n");
    let refused = "0 of 1 required tests can count: check was not run before the work; move the card on yourself, or take \
                   its work back and `retry KB-1`";
    for _ in 0..2 {
        world.run(&["run"]).says(refused);
        world.run(&["retry", "KB-1"]).exits(0);
    }
    assert_eq!(world.executions().len(), 1);
    std::fs::remove_file(world.repo("made/KB-1.txt")).unwrap();
    world.run(&["run"]).exits(0).says("1 promoted");
}

#[test]
fn what_was_green_before_the_first_attempt_stays_so_whatever_is_retried() {
    let world =
        world("- [ ] KB-1 first @check @text\n", "@check :: shell:true\n@text :: includes:nobody writes this\n")
            .with("transitions.yaml", ONE.replace("k: 2, require: 2", "k: 2, require: 1"))
            .env("KANBAN_MAX_FAILURES", "1");
    world.run(&["run"]).says("0 promoted");
    world.write("tests.txt", "@check Nothing else :: shell:true\n");
    world.edit("board.md", " @text", "");
    world
        .run(&["run"])
        .says("check is green already before the work; move the card on yourself, or give it other tests");
}

#[test]
fn a_check_of_a_later_column_is_known_from_before_the_first_attempt() {
    let rules = RULES
        .replacen("redGreen: true", "redGreen: true\n    k: 1\n    require: 1", 1)
        .replace("prompt: Review the card.", "prompt: Review the card.\n    k: 2\n    require: 2");
    let tests = "@text #always :: includes:made for\n@late The review checks the file :: shell:sh checks/made.sh\n";
    let world = world("- [ ] KB-1 first, whose review checks the file\n", tests).with("transitions.yaml", rules);
    world.run(&["run"]).exits(0).says("2 promoted");
    let started = world.records("attempt_started");
    assert_eq!(started[0]["tests"], serde_json::json!(["text"]), "the first column does not select it");
    assert_eq!(started[1]["tests"], serde_json::json!(["text", "late"]));
}

#[test]
fn what_a_check_rests_on_may_not_be_weakened_over_all_attempts() {
    for work in [
        "printf '' >checks/made.sh",
        "rm checks/made.sh; ln -s /bin/true checks/made.sh",
        "rm -r checks; ln -s /bin checks",
    ] {
        // The second attempt leaves it alone, and finds it as the first one left it.
        let codex = format!("make other; case $prompt in *'Attempt 1'*) ;; *) {work} ;; esac");
        let rules = RULES.replacen("    onFail: Needs Specs\n", "    maxAttempts: 2\n", 1);
        let world = world(
            "- [ ] KB-1 first @check @text\n",
            "@check :: shell:sh checks/made.sh\n@text :: includes:other for\n",
        )
        .with("transitions.yaml", rules)
        .codex(&codex);
        world.run(&["run"]).exits(0).says("0 promoted");
        let judged = world.records("judged");
        assert!(judged.iter().all(|record| record["verdict"] == "tampered"), "{work}: {judged:?}");
        assert!(judged[0]["reason"].as_str().unwrap().contains("checks/made.sh (guarded"), "{judged:?}");
        assert_eq!(world.places(), ["KB-1: In Progress"], "{work}");
    }
}

#[test]
fn a_name_guards_what_git_ignores_as_well_and_a_pattern_does_not() {
    let tests = "@check :: shell:sh checks/made.sh\n";
    for (guards, work, tampered) in [
        ("checks/made.sh", "printf '' >checks/made.sh", true),
        ("checks/made.sh", "rm checks/made.sh; make made", true),
        ("hidden.mk", ":>hidden.mk; make made", true),
        ("checks/made.sh", "make made; :>checks/run.log", false),
        ("'checks/**'", "make made; :>checks/log", false),
        (".git/config", "make made", false),
    ] {
        for ignored in ["checks/", "*"] {
            let rules = RULES.replace("'checks/**'", guards).replace("requireChanges: true", "requireChanges: false");
            let world = world("- [ ] KB-1 first @check\n", tests).with("transitions.yaml", rules).codex(work);
            let world = world.with(".gitignore", format!("{ignored}\nhidden.mk\n!made\n")).with("checks/log", "old");
            world.run(&["run"]).exits(0);
            let verdict = &world.records("judged")[0]["verdict"];
            assert_eq!(verdict == "tampered", tampered, "{guards}, {work}: {verdict}");
        }
    }
}

#[test]
fn a_guarded_file_that_is_put_back_or_a_new_one_is_no_weakening() {
    for work in [
        "make made; cp checks/made.sh keep.sh; printf '' >checks/made.sh; cp keep.sh checks/made.sh",
        "make made; echo 'exit 0' >checks/new.sh",
    ] {
        let world = world("- [ ] KB-1 first @check\n", "@check :: shell:sh checks/made.sh\n").codex(work);
        world.run(&["run"]).exits(0).says("2 promoted");
    }
}

#[test]
fn what_redirects_commands_is_guarded_unless_the_rule_lets_it_go() {
    let work = "make made; mkdir -p .cargo; printf '[target.x]\\nrunner = \"true\"\\n' >.cargo/config.toml";
    let world = world("- [ ] KB-1 first @check\n", "@check :: shell:sh checks/made.sh\n").codex(work);
    world.run(&["run"]).exits(0).says(".cargo/config.toml (guarded; it was made)");
    let lets_go = RULES.replace("    guardPaths: ['checks/**']\n", "");
    let lets_go = lets_go.replace("redGreen: true\n", "redGreen: true\n    guardPaths: ['!**/.cargo/config.toml']\n");
    let world = self::world("- [ ] KB-1 first @check\n", "@check :: shell:sh checks/made.sh\n")
        .with("transitions.yaml", lets_go)
        .codex(work);
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn changed_tests_judge_failed_work_again_before_codex_is_paid() {
    let rules =
        "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 1, evidence: [changes] } }\n";
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules).codex("make other");
    world.run(&["run"]).exits(0).says("1 failed");
    world.run(&["run"]).exits(0).says("0 promoted");
    world.write("tests.txt", "@made :: includes[made/*.txt]:different for KB\n");
    world.run(&["run"]).exits(0).says("its tests changed since it failed").says("0 promoted");
    world.write("tests.txt", "@made :: includes[made/*.txt]:other for KB\n");
    world.run(&["print-plan"]).exits(0).says("the gate alone is run again first");
    world.run(&["run"]).exits(0).says("1 promoted");
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_eq!(world.executions().len(), 1, "codex was paid once");
}

#[test]
fn each_test_keeps_its_own_output() {
    let world = world(
        "- [ ] KB-1 first @a/b @a-b\n",
        "@a/b :: shell:sh checks/says.sh one\n@a-b :: shell:sh checks/says.sh two\n",
    )
    .with("transitions.yaml", ONE.replace("k: 2, require: 2", "require: 1"))
    .program("checks/says.sh", "#!/bin/sh\necho $1; [ -e made/KB-1.txt ]\n");
    world.run(&["run"]).exits(0).says("1 promoted");
    let folder = std::fs::read_dir(world.cache("attempts/KB-1.1/tests")).unwrap().map(|entry| entry.unwrap().path());
    let outputs = folder.filter(|path| path.extension().is_some_and(|end| end == "out"));
    let mut said: Vec<String> = outputs.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    said.sort();
    assert_eq!(said, ["one\n", "two\n"]);
}
