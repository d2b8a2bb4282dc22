//! Codex, which may write anywhere, tries to pass without the work.

use crate::support::World;

#[test]
fn an_attempt_that_edits_what_it_is_judged_by_is_not_promoted() {
    let cases = [
        ("tests.txt", "echo 'includes:x' >>tests.txt"),
        ("tests.txt", "rm tests.txt"),
        ("transitions.yaml", "echo '# looser' >>transitions.yaml"),
        ("hooks/check.sh", "printf '#!/bin/sh\\nexit 0\\n' >hooks/check.sh"),
        ("kanban-codex-exec.yaml", "echo 'kReq: 1' >kanban-codex-exec.yaml"),
    ];
    for (file, edit) in cases {
        let rules = crate::support::RULES.replacen(
            "onFail: Needs",
            "beforeTransition: { shell: ./hooks/check.sh }\n    onFail: Needs",
            1,
        );
        let world = World::new("- [ ] KB-1 first @made\n")
            .with("transitions.yaml", rules)
            .with("kanban-codex-exec.yaml", "model: gpt-5-codex\n")
            .program("hooks/check.sh", "#!/bin/sh\ntrue\n")
            .codex(&format!("make made; {edit}"));
        let outcome = world.run(&["run"]).exits(0).says("0 promoted");
        assert_ne!(world.places(), ["KB-1: Review"], "{edit}: {outcome}");
        assert_ne!(world.places(), ["KB-1: Done"], "{edit}: {outcome}");
        let judged = &world.records("judged")[0];
        assert_eq!(judged["verdict"], "tampered", "{edit}");
        assert!(judged["reason"].as_str().unwrap().contains(file), "{judged}");
    }
}

#[test]
fn changed_tests_are_kept_out_until_somebody_accepts_them() {
    let loosen = "make other; echo '@loose :: includes[made/*.txt]:other for KB' >tests.txt";
    let world = World::new("- [ ] KB-1 first @made @loose\n").codex(loosen);
    world.run(&["run"]).exits(0).says("tampered");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);

    world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made @loose\n"));
    world.edit("board.md", "KB-2", "KB-3 third @made @loose\n- [ ] KB-2");
    let world = world.codex("[ $card = KB-2 ] && make other || make made");
    world.run(&["run"]).exits(0).says("tests.txt changed during an attempt").says("2 promoted, 1 bounced");
    assert_eq!(world.places(), ["KB-2: Needs Specs", "KB-3: Done"], "judged by the last accepted copy");

    let world = world.codex("make other");
    world.run(&["accept"]).exits(0).says("will hold");
    world.write("board.md", crate::support::board::with("- [ ] KB-4 fourth @made @loose\n"));
    world.run(&["run"]).exits(0).says("2 promoted");
    assert_eq!(world.places(), ["KB-4: Done"]);
}

#[test]
fn restored_tests_hold_again_without_a_word() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; echo 'includes:x' >>tests.txt");
    world.run(&["run"]).exits(0).says("tampered");
    let world = world.with("tests.txt", crate::support::TESTS).codex("make made");
    world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made\n"));
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn tests_that_a_person_changes_between_runs_simply_hold() {
    let world = World::new("- [ ] KB-1 first @made\n");
    world.run(&["run"]).exits(0);
    world.write("tests.txt", "@made :: includes[made/*.txt]:better for KB\n");
    world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made\n"));
    world.run(&["run"]).exits(0).says("1 bounced");
}

#[test]
fn a_card_that_codex_moves_to_done_itself_is_no_promotion() {
    for work in ["make made; move KB-1 Done", "move KB-1 Done"] {
        let world = World::new("- [ ] KB-1 first @made\n").codex(work);
        let outcome = world.run(&["run", "--format", "json"]).exits(0);
        assert_eq!(outcome.events().last().unwrap()["promoted"], 0, "{work}: {outcome}");
        assert_eq!(world.records("elsewhere")[0]["now"], "Done", "{work}");
        assert_eq!(world.executions().len(), 1, "{work}");
    }
}

#[test]
fn lines_that_were_there_before_or_were_only_moved_prove_nothing() {
    let copies = [
        "true",
        "mkdir -p made; mv old/text.txt made/KB-1.txt",
        "mkdir -p made; sed 's/^/    /' old/text.txt >made/KB-1.txt; rm old/text.txt",
    ];
    for work in copies {
        let world = World::new("- [ ] KB-1 first @made\n").with("old/text.txt", "made for KB-1\n").codex(work);
        world.run(&["run"]).exits(0);
        assert_eq!(world.places(), ["KB-1: Needs Specs"], "{work}");
    }
}

#[test]
fn the_work_of_one_card_is_no_evidence_for_another() {
    let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n").codex("[ $card = KB-2 ] || make made");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-2: Needs Specs", "KB-1: Done"]);
}

#[test]
fn commits_of_codex_hide_nothing() {
    let commit = "make made; git add -A; git -c user.name=a -c user.email=a@localhost commit -qm work";
    let world = World::new("- [ ] KB-1 first @made\n").codex(&format!("{commit} || true"));
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert!(!world.git(&["log", "--oneline"]).is_empty());
}
