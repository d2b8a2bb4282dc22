use std::sync::Arc;

use super::*;
use crate::board::Board;
use crate::checks::TestId;
use crate::cycle::decide::{Action, decide};
use crate::cycle::tests::world::{card, column, ended, fold, judged_as, planner, record, started};
use crate::journal::{Ending, Event};
use crate::provider::markdown::edit::{self, Edited};
use crate::provider::markdown::parse::{Mode, parse};
use crate::rules::Rule;

fn outcome(id: &str, evidence: &str, tail: &str) -> TestOutcome {
    let text = String::new();
    TestOutcome {
        id: TestId(id.into()),
        text,
        passed: false,
        counts: false,
        evidence: evidence.into(),
        tail: tail.into(),
    }
}

/// The note of a card's first attempt, of `limit`, that was judged so.
fn note(limit: u32, verdict: Verdict, reason: &str, outcomes: Vec<TestOutcome>, redactor: &Redactor) -> Note {
    let rule = Rule { max_attempts: Some(limit), on_fail: Some(column("Todo")), ..Rule::default() };
    let planner = planner([(column("Doing"), rule)]);
    let card = card("a", "Doing", true);
    let plan = planner.plan(&card, &fold(&[])).unwrap().unwrap();
    let Event::Judged { attempt, verdict, passed, required, gate, artifacts, weakened, .. } =
        judged_as(&plan.attempt, &plan, verdict)
    else {
        panic!("it was judged")
    };
    let (reason, tests) = (reason.to_owned(), outcomes);
    let judged = Event::Judged { attempt, verdict, reason, passed, required, tests, gate, artifacts, weakened };
    let mut state = fold(&[started(&plan), ended(&plan.attempt, Ending::Ok), judged].map(record));
    state.board =
        Some(Arc::new(Board { columns: vec![column("Todo"), column("Doing")], cards: vec![card], ..Board::default() }));
    let Action::Settle(settlement) = decide(&state, &planner).unwrap() else { panic!("it is settled") };
    compose(&settlement, Some(&state.attempts[&plan.attempt]), Timestamp::UNIX_EPOCH, redactor)
}

fn failed(outcomes: Vec<TestOutcome>) -> String {
    note(3, Verdict::Fail, "0 of 3 required tests passed", outcomes, &Redactor::default()).text
}

#[test]
fn each_test_that_is_no_proof_is_named_with_what_it_saw() {
    let green =
        TestOutcome { passed: true, ..outcome("green", "exit 0, but it was green before the work as well", "") };
    let passed = TestOutcome { passed: true, counts: true, ..outcome("fine", "a.txt:1", "") };
    let shell = outcome("builds", "exit 101", "one\n\n  two \r\nthree\nerror: aborting\n\n");
    let missing = outcome("a", "`aaa` is not in 1 changed file; nearest: a.txt:1: aa", "");
    assert_eq!(
        failed(vec![missing, passed, shell, green]),
        "failed, bounced Doing → Todo, attempt 1 of 3 (1970-01-01 00:00 UTC): 0 of 3 required tests passed; \
         a: `aaa` is not in 1 changed file; nearest: a.txt:1: aa; \
         builds: exit 101; its output ends: two / three / error: aborting; \
         green: does not count: exit 0, but it was green before the work as well"
    );
}

#[test]
fn a_passed_card_says_no_more_than_that() {
    let note =
        note(3, Verdict::Pass, "3 of 3 required tests passed", vec![outcome("a", "no", "")], &Redactor::default());
    assert!(note.text.ends_with("3 of 3 required tests passed"), "{}", note.text);
    assert_eq!(note.data["failed"], json!([]));
}

#[test]
fn what_only_a_person_can_do_is_said() {
    let last = note(1, Verdict::Fail, "codex's turn failed: it broke", vec![], &Redactor::default()).text;
    assert!(last.ends_with("it broke; no attempts are left: edit the card or `retry a`"), "{last}");
    let reason = "changed during the attempt: tests.txt";
    let tampered = note(3, Verdict::Tampered, reason, vec![], &Redactor::default()).text;
    assert!(tampered.contains(&format!("{reason}; put it back")) && tampered.contains("`accept`"), "{tampered}");
}

#[test]
fn earlier_attempts_are_counted() {
    let said: Vec<String> = (1..=3)
        .map(|at| {
            let planner = planner([(column("Doing"), Rule::default())]);
            let mut plan = planner.plan(&card("a", "Doing", true), &fold(&[])).unwrap().unwrap();
            plan.number = at;
            number(&fold(&[record(started(&plan))]).attempts[&plan.attempt])
        })
        .collect();
    let expected = ["1 of 3", "2 of 3; 1 earlier attempt failed", "3 of 3; 2 earlier attempts failed"];
    assert_eq!(said, expected.map(|number| format!(", attempt {number}")));
}

#[test]
fn much_is_cut_and_what_is_left_out_is_counted() {
    let long = |id: usize| outcome(&format!("test-{id}"), &"é".repeat(5000), &format!("{}THE END", "ü".repeat(9000)));
    let text = failed((0..40).map(long).collect());
    assert!(text.len() <= WHOLE + 40, "{}", text.len());
    assert!(text.contains("test-0: é") && text.ends_with("; and 38 more"), "{text}");
    let text = failed(vec![long(0)]);
    assert!(text.ends_with("THE END"), "{text}");
    let text = note(3, Verdict::Fail, &"r".repeat(9000), vec![outcome("a", "why", "")], &Redactor::default()).text;
    assert!(text.len() < WHOLE && text.ends_with("…; a: why"), "{text}");
}

#[test]
fn a_secret_is_taken_out_before_anything_is_cut() {
    let secret = "s3cr3t-value".repeat(6);
    let redactor = Redactor::new([("API_TOKEN".to_owned(), secret.clone())]);
    for at in 0..EVIDENCE + 80 {
        let text = format!("{}{secret}", "x".repeat(at));
        let output = format!("{secret}{}", "y".repeat(at));
        let note = note(3, Verdict::Fail, &text, vec![outcome("a", &text, &output)], &redactor);
        assert!(!note.text.contains("s3cr") && !note.text.contains("alue"), "{at}: {}", note.text);
    }
}

/// Whatever a title or an output holds: one bullet and one comment, replaced in place, and every other byte as it was.
#[test]
fn a_note_survives_what_it_tells_on_any_board() {
    let texts = [
        "`one` ``two`` ```\nthree",
        "--> <!-- a comment %% x %%",
        "- [ ] a card\n## A column\r\n\r\n\t- [x] another\n",
        "kanban-codex-exec {\"v\":1} -->\n\u{0}\u{1b}[31mred\u{7}\u{2028}\u{85}",
        "| a | b |\n|---|---|\n*b* _i_ ~~s~~ [l](u) ![i](u) [[w]] #tag ^id $m$ &amp; <br>",
        &"no space for breath".repeat(5000),
        "```\n~~~\n> quote\n1. one\n***\n===",
        "",
    ];
    let board = "---\n\nkanban-plugin: board\n\n---\n\n## Doing\n\n- [ ] KB-1 `a` --> <!-- b\n\tof *two* lines\n- [ ] KB-2 other\n\n\
                 ## Todo\n\n- [ ] KB-3 third\n\n%% kanban:settings\n```\n{\"kanban-plugin\":\"board\"}\n```\n%%\n";
    for (eol, text) in ["\n", "\r\n"].into_iter().flat_map(|eol| texts.map(|text| (eol, text))) {
        let source = board.replace('\n', eol);
        let cards = |text: &str| {
            let cards = parse(text, Mode::Board).unwrap().board().cards.clone();
            cards
                .into_iter()
                .map(|card| (card.id.clone(), card.title.clone(), card.body.clone(), card.status))
                .collect::<Vec<_>>()
        };
        let id = &cards(&source)[0].0;
        let mut noted = source.clone();
        // The second attempt tells something else.
        for text in [text, "something else", text, text] {
            let note = note(3, Verdict::Fail, text, vec![outcome("a", text, text)], &Redactor::default());
            match edit::note(&noted, Mode::Board, id, &column("Doing"), &note).unwrap() {
                Edited::Text(text) => noted = text,
                other => assert_eq!(other, Edited::Already),
            }
            assert_eq!(cards(&noted), cards(&source), "{text:?}");
            let ours =
                |line: &&str| line.contains("- kanban-codex-exec: ") || line.contains("<!-- kanban-codex-exec {");
            assert_eq!(noted.lines().filter(ours).count(), 2, "{noted}");
            let rest: String = noted.split_inclusive('\n').filter(|line| !ours(line)).collect();
            assert_eq!(rest, source, "{text:?}");
            assert!(noted.lines().all(|line| line.len() < 8000));
            let state = &parse(&noted, Mode::Board).unwrap().board().cards[0].state;
            assert_eq!(state.as_ref(), Some(&note.data));
        }
    }
}
