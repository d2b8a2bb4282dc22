//! Codex, which may write anywhere, tries to pass without the work.

use std::process::Command;

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
fn what_was_tampered_with_is_not_adopted_by_way_of_a_run_by_other_files() {
    for (required, codex, another, third) in [
        (
            "1",
            "make other; echo '@loose :: includes[made/*.txt]:other for KB' >tests.txt",
            ["--tests", "other.txt"],
            ("- [ ] KB-3 third @loose\n", "make other"),
        ),
        (
            "",
            "make made; echo 'kReq: 1' >own.yaml",
            ["--config", "other.yaml"],
            ("- [ ] KB-3 third @made\n", "make made"),
        ),
    ] {
        let world = World::new("- [ ] KB-1 first @made @loose @checked\n").with("own.yaml", "kReq: 2\n").codex(codex);
        let world =
            world.with("other.txt", crate::support::TESTS).with("other.yaml", "kReq: 1\n").env("K_REQ", required);
        world.run(&["run", "--config", "own.yaml"]).exits(0).says("tampered");
        let world = world.codex("make made; make checked");
        world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made @checked\n"));
        world.run(&["run", another[0], another[1]]).exits(0).says("promoted");
        let world = world.codex(third.1);
        world.write("board.md", crate::support::board::with(third.0));
        world.run(&["run", "--config", "own.yaml"]).exits(0).says("changed during an attempt").says("0 promoted");
        world.run(&["accept", "--config", "own.yaml"]).exits(0).says("will hold");
        world.run(&["run", "--config", "own.yaml"]).exits(0);
    }
}

#[test]
fn a_config_that_codex_makes_or_changes_does_not_hold_in_the_next_run_either() {
    for (config, change) in [
        (None, "kReq: 1"),
        (Some("kReq: 2\n"), "kReq: 1"),
        (Some("kReq: 2\n"), "kReq: 1\ntests: easy.txt"),
        // Where nothing is known of what was accepted.
        (Some("kReq: 2\n"), "kReq: 1\ncacheDir: elsewhere"),
        // By itself it would end the loop, under PM2 for good.
        (Some("kReq: 2\n"), "kReq: 1\nkReq: 1"),
        (None, "kReq: ["),
        (Some("kReq: 2\n"), "maxCardz: 1"),
    ] {
        let codex = format!("make made; echo 'made for KB' >easy.txt; printf '{change}\\n' >kanban-codex-exec.yaml");
        let world =
            World::new("- [ ] KB-1 first @made @checked\n").env("K_REQ", if config.is_some() { "" } else { "2" });
        let world = world.codex(&codex);
        if let Some(config) = config {
            world.write("kanban-codex-exec.yaml", config);
        }
        world.run(&["run"]).exits(0).says("kanban-codex-exec.yaml (");
        let world = world.codex("make made");
        world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made @checked\n"));
        let outcome = world.run(&["run"]).exits(0).says("kanban-codex-exec.yaml changed during an attempt");
        assert_eq!(world.places(), ["KB-2: Needs Specs"], "{change}: {outcome}");
    }
}

#[test]
fn a_config_that_a_person_left_broken_or_wants_to_accept_is_an_error() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; echo 'kReq: [' >kanban-codex-exec.yaml");
    world.run(&["run"]).exits(0).says("kanban-codex-exec.yaml (");
    world.run(&["accept"]).exits(2).warns("kanban-codex-exec.yaml:");
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made");
    world.run(&["run"]).exits(0);
    world.write("kanban-codex-exec.yaml", "kReq: [\n");
    world.run(&["run"]).exits(2).warns("kanban-codex-exec.yaml:");
}

#[test]
fn no_more_does_one_that_codex_makes_where_none_was_found() {
    for (config, made) in [
        (None, "kanban-codex-exec.yaml"),
        (None, "desk/kanban-codex-exec.yaml"),
        (Some("model: own\n"), "kanban-codex-exec.yaml"),
        (Some("model: own\n"), "desk/kanban-codex-exec.yaml"),
        (Some("source: board.md\n"), "kanban-codex-exec.yaml"),
    ] {
        let config_of_codex = if made.starts_with("desk") { "tests: ../easy.txt" } else { "tests: easy.txt" };
        let world = World::new("")
            .env("KANBAN_SOURCE", "desk/board.md")
            .with("desk/board.md", crate::support::board::with("- [ ] KB-1 first @made @checked\n"))
            .with("desk/tests.txt", crate::support::TESTS)
            .with("desk/transitions.yaml", crate::support::RULES.replace("    evidence", "    require: 2\n    evidence"))
            .codex(&format!("make made; printf '@made :: includes:made\n@checked :: includes:for\n' >easy.txt; echo '{config_of_codex}' >{made}"));
        if let Some(config) = config {
            world.write("kanban-codex-exec.yaml", config);
        }
        world.run(&["run"]).exits(0).says(&format!("{made} ("));
        let world = world.codex("make made");
        world.write("desk/board.md", crate::support::board::with("- [ ] KB-2 second @made @checked\n"));
        let outcome = world.run(&["run"]).exits(0).says(&format!("{made} changed during an attempt"));
        let places = crate::support::board::places(&world.read("desk/board.md"));
        assert_eq!(places, ["KB-2: Needs Specs"], "{config:?}, {made}: {outcome}");
    }
}

#[test]
fn the_script_that_a_hook_runs_is_judged_by_as_well() {
    for line in [
        "sh hooks/check.sh",
        "timeout 30 ./hooks/check.sh",
        "cd hooks && STRICT=1 sh -o errexit check.sh",
        "'\"./hooks/check.sh\" --all'",
        "$PWD/hooks/check.sh",
        "sh \"$PWD/hooks/check.sh\"",
        "cd $(git rev-parse --show-toplevel) && ./hooks/check.sh",
        "sh < hooks/check.sh",
        "cat hooks/check.sh | sh",
        "flock board.md hooks/check.sh",
    ] {
        let hook = format!("beforeTransition: {{ shell: {line} }}\n    onFail: Needs");
        let world = World::new("- [ ] KB-1 first @made\n")
            .with("transitions.yaml", crate::support::RULES.replacen("onFail: Needs", &hook, 1))
            .program("hooks/check.sh", "#!/bin/sh\nexit 1\n")
            .codex("make made; echo true >hooks/check.sh");
        world.run(&["run"]).exits(0).says("hooks/check.sh (1 line added, 2 removed");
        assert_ne!(world.places(), ["KB-1: Done"], "{line}");
    }
}

#[test]
fn accept_shows_what_changed_and_adopts_what_was_seen() {
    let world = World::new("- [ ] KB-1 first @made @loose\n")
        .codex("make other; echo '@loose :: includes[made/*.txt]:other for KB' >tests.txt");
    world.run(&["accept"]).exits(0).says("nothing to accept");
    world.run(&["run"]).exits(0).says("tests.txt (1 line added, 2 removed");
    world.run(&["accept"]).exits(0).says("--- tests.txt").says("+@loose ::").says("-@made").says("will hold");
    let world = world.codex("make other");
    // It changes again before a run takes it up.
    world.write("tests.txt", "@loose :: includes:o\n");
    world.run(&["run"]).exits(0).says("has changed since");
    world.write("board.md", crate::support::board::with("- [ ] KB-2 second @loose\n"));
    world.run(&["run"]).exits(0).says("0 promoted");
    world.run(&["accept"]).exits(0);
    world.write("board.md", crate::support::board::with("- [ ] KB-3 third @loose\n"));
    world.run(&["run"]).exits(0).says("2 promoted");
}

#[test]
fn what_codex_asks_for_during_its_attempt_is_not_done() {
    let program = env!("CARGO_BIN_EXE_kanban-codex-exec");
    let forged = r#"{"request":"accept","inputs":[{"file":"tests.txt","sha256":"SHA"}]}"#;
    let tests = "@made :: includes[made/*.txt]:other for KB\n";
    let forged = forged.replace("SHA", &kanban_codex_exec::storage::sha256(tests.as_bytes()));
    let requests = "mkdir -p .cache/kanban-codex-exec/requests; cat >.cache/kanban-codex-exec/requests/1.json <<'X'";
    for ask in [format!("{program} accept >\"$WORLD/said\" 2>&1"), format!("{requests}\n{forged}\nX")] {
        let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n")
            .codex(&format!("make other; printf '{}\\n' >tests.txt; {ask}", tests.trim_end()));
        world.run(&["run"]).exits(0).says("0 promoted");
        world.run(&["run"]).exits(0).says("0 promoted");
        assert_eq!(world.places(), ["KB-1: Needs Specs", "KB-2: Needs Specs"], "{ask}");
    }
    let forged = r#"{"request":"retry","card":"KB-1"}"#;
    let asks = format!("make other; {program} retry $card 2>\"$WORLD/said\"; {requests}\n{forged}\nX");
    let world = World::new("- [ ] KB-1 first @made\n").codex(&asks);
    let rules =
        "statuses: { In Progress: { prompt: Implement., onPass: Done, maxAttempts: 2, evidence: [changes] } }\n";
    let world = world.with("transitions.yaml", rules);
    world.run(&["run"]).exits(0).says("`retry` was asked for while an attempt at KB-1 ran");
    assert_eq!(world.executions().len(), 2);
    assert!(std::fs::read_to_string(world.path("said")).unwrap().contains("an attempt at KB-1 is at work"));
}

#[test]
fn what_codex_writes_into_the_programs_own_files_is_told_and_taken_back() {
    let cache = ".cache/kanban-codex-exec";
    let forged = r#"{"v":1,"at":"2030-01-01T00:00:00Z","event":"retried","card":"KB-1"}"#;
    for (name, write) in [
        ("the journal", format!("echo '{forged}' >>{cache}/journal.jsonl")),
        ("the journal", format!("sed -i 's/made/x/' {cache}/journal.jsonl")),
        ("the journal", format!("rm {cache}/journal.jsonl")),
        ("the index of the tests", format!("printf x >>{cache}/index.bin")),
        ("the index of the trees", format!("rm {cache}/git/index-*")),
    ] {
        let world = World::new("- [ ] KB-1 first @made\n").codex(&format!("make made; {write}"));
        world.run(&["run"]).exits(0).says(&format!("changed during the attempt: {name}"));
        assert_eq!(world.places(), ["KB-1: Needs Specs"], "{write}");
        let events: Vec<String> = world.journal().iter().map(|record| record["event"].to_string()).collect();
        assert_eq!(events.first().map(String::as_str), Some("\"run_started\""), "{write}: {events:?}");
        assert!(!events.contains(&"\"retried\"".to_owned()), "{write}: {events:?}");
        let world = world.codex("make made");
        world.write("board.md", crate::support::board::with("- [ ] KB-2 second @made\n"));
        world.run(&["run"]).exits(0).says("2 promoted");
    }
}

/// Kills the runner, which is the parent of this one's launcher.
const KILL: &str = "read -r _ _ _ runner _ <\"/proc/$PPID/stat\"; kill -KILL $runner";

#[test]
fn what_codex_changed_is_kept_out_however_its_attempt_ended() {
    let loosen = "echo '@loose :: includes[made/*.txt]:other for KB' >tests.txt";
    let infrastructure =
        "printf '{\"type\":\"turn.failed\",\"error\":{\"message\":\"stream disconnected: 503\"}}\\n'; exit 1";
    for (ended, codex, code) in [
        ("stopped", format!("raw\nbegin; {loosen}; make other; wait_for go"), 130),
        ("unreached", format!("raw\nbegin; {loosen}; {infrastructure}"), 4),
        ("killed", format!("raw\nbegin; {loosen}; make other; say Done.; complete; {KILL}"), 137),
    ] {
        let world = World::new("- [ ] KB-1 first @made @loose\n").codex(&codex).env("KANBAN_INFRASTRUCTURE_LIMIT", "1");
        let running = world.start(&["run"]);
        if ended == "stopped" {
            world.wait_for("waiting");
            running.signal(rustix::process::Signal::INT);
        }
        let code = Some(code).filter(|code| *code != 137);
        let first = running.outcome_alone();
        assert_eq!(first.code, code, "{ended}: {first}");
        let world = world.codex("make other");
        let outcome = world.run(&["run"]).exits(0).says("tests.txt changed during an attempt").says("0 promoted");
        assert_eq!(world.places(), ["KB-1: Needs Specs"], "{ended}: {outcome}");
    }
}

#[test]
fn tampering_that_was_seen_stays_a_reason_where_the_file_is_put_back_before_the_gate_ends() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; echo 'includes:x' >>tests.txt");
    let tests = "@made It is made :: shell:./check.sh\n";
    let world = world.env("ALLOW_SHELL_TESTS", "true").env("SHELL_TEST_ALLOWLIST", "./check.sh");
    let world = world.with("tests.txt", tests).program("check.sh", "#!/bin/sh\n: >\"$WORLD/waiting\"\nsleep 300\n");
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    running.signal(rustix::process::Signal::INT);
    running.outcome().exits(130);
    world.write("tests.txt", tests);
    world.write("check.sh", "#!/bin/sh\n");
    world.run(&["run"]).exits(0).says("changed during the attempt: tests.txt");
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
}

#[test]
fn what_the_code_of_an_attempt_changes_as_a_check_runs_it_is_not_adopted() {
    let tests = "@made It is made :: shell:./check.sh\n";
    let forge =
        r#"echo '{"v":1,"at":"2030-01-01T00:00:00Z","event":"retried","card":"KB-1"}' >>.cache/*/journal.jsonl"#;
    let sha256 = kanban_codex_exec::storage::sha256(b"@made :: includes:o\n");
    let accept = format!(r#"{{"request":"accept","inputs":[{{"file":"tests.txt","sha256":"{sha256}"}}]}}"#);
    let ask = format!(
        "mkdir -p .cache/kanban-codex-exec/requests; echo '{accept}' >.cache/kanban-codex-exec/requests/1.json"
    );
    let loosen = &format!("{{ echo '@made :: includes:o' >tests.txt; {forge}; {ask}; }}");
    // In its gate, or in the next card's, before the work.
    for (code, red_green) in [(loosen, false), (&format!("[ ! -e armed ] || {loosen}; : >armed; false"), true)] {
        let world = World::new("- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n")
            .codex("make made; [ $card = KB-2 ] || cp \"$WORLD/code\" made.sh")
            .env("ALLOW_SHELL_TESTS", "true")
            .env("SHELL_TEST_ALLOWLIST", "./check.sh");
        std::fs::write(world.path("code"), code).unwrap();
        let rules = crate::support::RULES.replace("evidence:", &format!("redGreen: {red_green}\n    evidence:"));
        let world = world.with("transitions.yaml", rules).with("tests.txt", tests);
        let world = world.program("check.sh", "#!/bin/sh\n[ -e made.sh ] && . ./made.sh\n");
        world.run(&["run"]).exits(0).says("tests.txt changed during an attempt");
        assert_eq!(world.records("retried"), [] as [serde_json::Value; 0], "{code}");
        assert_eq!(world.records("inputs_accepted").len(), 1, "{code}");
        let tampered = |record: &serde_json::Value| record["verdict"] == "tampered";
        assert_eq!(world.records("judged").iter().any(tampered), !red_green, "{code}");
    }
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

#[test]
fn a_report_that_is_sent_into_the_workspace_is_no_card_s_work() {
    let world = World::new("- [ ] KB-1 first @said\n").with("tests.txt", "@said :: includes[changes]:KB-1\n").codex("");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" >run.log 2>&1", env!("CARGO_BIN_EXE_kanban-codex-exec")]);
    world.start_as(shell, &["run", "--max-cards", "1"]).outcome().exits(0);
    assert!(world.read("run.log").contains("KB-1"));
    assert_eq!(world.places(), ["KB-1: Needs Specs"]);
}
