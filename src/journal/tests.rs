#![expect(clippy::disallowed_methods, reason = "tests write the journals that they read")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::append::{Journal, line, path};
use super::compact::{Tally, compact, kept};
use super::replay::{Replayed, read};
use super::*;
use crate::cycle::state::State;
use crate::cycle::tests::properties::case;
use crate::cycle::tests::world::{Outcome, card, column, fold, planner, record};
use crate::redact::Redactor;
use crate::rules::Rule;
use crate::storage::Writer;

/// A journal of its own folder, with these lines in it.
fn folder(lines: &[String]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(path(folder.path()), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    folder
}

fn replayed(folder: &Path) -> Replayed {
    read(folder).unwrap_or_else(|failure| panic!("{failure}"))
}

fn append(folder: &Path, records: &[Record], redactor: &Redactor) {
    let mut journal = Journal::open(&Writer::within(folder), folder, redactor).unwrap();
    records.iter().for_each(|record| journal.keep(record).unwrap());
}

/// What a run with a bounce, an infrastructure failure and a promotion wrote.
fn golden() -> Vec<String> {
    let outcomes = [Outcome::Infrastructure, Outcome::Fail, Outcome::Pass];
    let rule = Rule { on_pass: Some(column("B")), ..Rule::default() };
    let board = crate::board::Board {
        columns: vec![column("A"), column("B")],
        cards: vec![card("ä \"quoted\"\\", "A", true)],
        ..crate::board::Board::default()
    };
    let executed = std::cell::Cell::new(0);
    let mut world = crate::cycle::tests::world::World::new(board, planner([(column("A"), rule)]), move |_| {
        outcomes[executed.replace(executed.get() + 1)]
    });
    world.run().2.unwrap();
    assert_eq!(world.places().into_values().collect::<Vec<_>>(), ["B"]);
    world.disk.lines
}

#[test]
fn a_record_is_a_line_that_reads_back_as_it_was() {
    let folder = TempDir::new().unwrap();
    assert_eq!(replayed(folder.path()), Replayed::default(), "no journal is an empty one");
    let mut text = String::new();
    let mut records = Vec::new();
    for line in golden() {
        let record: Record = serde_json::from_str(&line).unwrap();
        append(folder.path(), std::slice::from_ref(&record), &Redactor::default());
        text.push_str(&line);
        text.push('\n');
        // It is in the file when the call returns, and nothing that was there before is touched.
        assert_eq!(fs::read_to_string(path(folder.path())).unwrap(), text);
        records.push(record);
    }
    assert_eq!(replayed(folder.path()), Replayed { records, damaged: vec![] });
    assert_eq!(fs::metadata(path(folder.path())).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_journal_torn_at_any_byte_is_cut_to_its_last_whole_line_and_goes_on() {
    let text = golden().iter().map(|line| format!("{line}\n")).collect::<String>();
    let folder = folder(&[]);
    let more = record(Event::Paused);
    for length in 0..=text.len() {
        let torn = &text.as_bytes()[..length];
        let whole = torn.iter().filter(|byte| **byte == b'\n').count();
        fs::write(path(folder.path()), torn).unwrap();
        let before = replayed(folder.path());
        assert_eq!((before.records.len(), before.damaged.as_slice()), (whole, &[][..]), "{length} bytes");
        fold(&before.records);
        // Each append waits for the disk: it is tried at the ends of lines and here and there.
        if length % 17 != 0 && !torn.ends_with(b"\n") && !torn.ends_with(b"}") {
            continue;
        }
        append(folder.path(), std::slice::from_ref(&more), &Redactor::default());
        let after = replayed(folder.path());
        assert_eq!(after.records, [&before.records[..], std::slice::from_ref(&more)].concat(), "{length} bytes");
        assert_eq!(after.damaged, [0; 0], "{length} bytes");
    }
}

#[test]
fn damage_elsewhere_is_told_by_line_and_the_rest_is_used() {
    let whole = golden();
    let damages: [&[u8]; 6] = [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"{\"v\":1}",
        b"{\"v\":1,\"at\":\"1970-01-01T00:00:00Z\",\"event\":\"judged\"}",
        &whole[2].as_bytes()[..whole[2].len() / 2],
    ];
    for damage in damages {
        let lines: Vec<&[u8]> = whole
            .iter()
            .enumerate()
            .map(|(at, line)| if at == 2 || at == 4 { damage } else { line.as_bytes() })
            .collect();
        let folder = folder(&[]);
        fs::write(path(folder.path()), [lines.join(&b'\n'), vec![b'\n']].concat()).unwrap();
        let replayed = replayed(folder.path());
        assert_eq!(replayed.damaged, [3, 5], "{}", String::from_utf8_lossy(damage));
        assert_eq!(replayed.records.len(), whole.len() - 2);
        fold(&replayed.records);
    }
}

#[test]
fn a_newer_programs_journal_is_refused_and_left_as_it_is() {
    for (newer, what) in [
        ("{\"v\":2,\"at\":\"2030-01-01T00:00:00Z\",\"event\":\"dreamt\"}", "records of version 2"),
        ("{\"v\":2,\"event\":\"paused\"}", "records of version 2"),
        ("{\"v\":1,\"at\":\"2030-01-01T00:00:00Z\",\"event\":\"dreamt\",\"of\":7}", "the event `dreamt`"),
    ] {
        let mut lines = golden();
        lines.insert(1, newer.into());
        let folder = folder(&lines);
        let before = fs::read(path(folder.path())).unwrap();
        let failure = read(folder.path()).unwrap_err().to_string();
        let expected = format!("journal.jsonl:2: written by a newer kanban-codex-exec ({what})");
        assert!(failure.contains(&expected), "{failure}");
        assert!(failure.contains("hint: use that version, or another --cache-dir"), "{failure}");
        assert_eq!(fs::read(path(folder.path())).unwrap(), before);
    }
}

/// As the first program wrote it: each event, without the fields that came later.
#[test]
fn a_journal_of_the_first_shape_is_read_and_gone_on_with() {
    let lines: Vec<String> = include_str!("first.jsonl").lines().map(str::to_owned).collect();
    let folder = folder(&lines);
    let Replayed { records, damaged } = replayed(folder.path());
    assert_eq!((records.len(), damaged), (lines.len(), vec![]));
    for (record, text) in records.iter().zip(&lines) {
        let (written, read): (serde_json::Value, serde_json::Value) =
            (serde_json::to_value(record).unwrap(), serde_json::from_str(text).unwrap());
        assert_eq!(written, read, "no field is lost, and none that it lacks is made up");
    }
    let state = fold(&records);
    let [kb1, kb2] = ["KB-1", "KB-2"].map(|id| &state.cards[&crate::board::CardId::from(id)]);
    assert_eq!(
        (kb1.executions, kb1.column.as_ref(), kb2.column.as_ref()),
        (2, Some(&column("Review")), Some(&column("Blocked")))
    );
    let passed = &state.attempts[&AttemptId("KB-1.2".into())];
    assert_eq!((passed.verdict, passed.settled, &passed.taken), (Some(Verdict::Pass), true, &None));
    assert!(state.active.is_empty() && state.taking.is_empty() && state.hooks.is_empty() && !state.paused);
    append(folder.path(), &[record(Event::Paused)], &Redactor::default());
    assert_eq!(replayed(folder.path()).records.len(), lines.len() + 1);
}

#[test]
fn secrets_are_taken_out_and_the_line_stays_json() {
    let secret = "a\"b\\c\nd\te-secret";
    let redactor = Redactor::new([("API_TOKEN".to_owned(), secret.to_owned())]);
    let text = format!("it says {secret}, \"quoted\"");
    let written = record(Event::Warning { text: text.clone() });
    let line = line(&written, &redactor).unwrap();
    assert!(!line.contains("secret") && !line.contains('\n'), "{line}");
    let read: Record = serde_json::from_str(&line).unwrap();
    let Event::Warning { text: redacted } = read.event else { panic!("{line}") };
    assert_eq!(redacted, text.replace(secret, "[REDACTED:API_TOKEN]"));
}

#[test]
fn an_attempts_number_is_in_its_name() {
    for (name, number) in [("kb-1.2", Some(2)), ("a.b-0a1b2c.17", Some(17)), ("kb-1", None), ("kb.x", None)] {
        assert_eq!(AttemptId(name.into()).execution(), number, "{name}");
    }
}

/// As long as the reasons of an outage make it, so that it becomes too large.
fn outage(attempts: usize, reason: usize) -> Vec<Record> {
    let mut records: Vec<Record> = golden().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let started = records.iter().find(|record| matches!(record.event, Event::AttemptStarted { .. })).unwrap().clone();
    for number in 0..attempts {
        let mut started = started.clone();
        let Event::AttemptStarted { attempt, .. } = &mut started.event else { unreachable!() };
        attempt.0 = format!("{}.{}", attempt.0.rsplit_once('.').unwrap().0, number + 10);
        let reason = "x".repeat(reason);
        let ending = Ending::Infrastructure { reason, hint: String::new(), wait_seconds: None };
        let ended = crate::cycle::tests::world::ended(attempt, ending);
        records.extend([started, record(ended)]);
    }
    records.push(record(Event::RunStarted {
        run: "r".into(),
        pid: 1,
        source: "s".into(),
        workspace: "w".into(),
        version: "1".into(),
        clock: None,
    }));
    records
}

#[test]
fn only_a_large_and_mostly_superfluous_journal_is_compacted() {
    for (records, smaller) in [(outage(100, 10), false), (outage(100, 100_000), true), (outage(3, 3_000_000), false)] {
        let folder = folder(&[]);
        append(folder.path(), &records, &Redactor::default());
        let before = fs::metadata(path(folder.path())).unwrap().len();
        let mut tally = Tally::default();
        records.iter().for_each(|record| tally.count(&record.event));
        compact(&Writer::within(folder.path()), folder.path(), tally, &Redactor::default()).unwrap();
        let after = replayed(folder.path());
        assert_eq!(fs::metadata(path(folder.path())).unwrap().len() < before, smaller, "{} records", records.len());
        matters(&fold(&records), &fold(&after.records));
    }
}

/// The next attempt's name must be new: its folder holds what another attempt left.
fn matters(all: &State, compacted: &State) {
    assert_eq!(all.active, compacted.active);
    assert_eq!(all.taking, compacted.taking);
    assert_eq!(all.hooks, compacted.hooks);
    assert_eq!(all.moving, compacted.moving);
    assert_eq!((all.paused, all.ended), (compacted.paused, compacted.ended));
    assert_eq!((&all.held_inputs, &all.accepted), (&compacted.held_inputs, &compacted.accepted));
    assert_eq!((all.budget.began, all.budget.worked_before), (compacted.budget.began, compacted.budget.worked_before));
    assert_eq!(all.budget.failures_in_a_row, compacted.budget.failures_in_a_row);
    let gone: BTreeSet<_> = all.attempts.keys().filter(|id| !compacted.attempts.contains_key(*id)).collect();
    assert!(gone.iter().all(|id| matches!(all.attempts[*id].ending, Ending::Infrastructure { .. })), "{gone:?}");
    assert!(compacted.attempts.iter().all(|(id, attempt)| all.attempts[id] == *attempt));
    for (id, history) in &all.cards {
        let other = &compacted.cards[id];
        let same = |one: &crate::cycle::state::CardHistory| {
            (one.executions, one.column.clone(), one.held, one.failure.clone())
        };
        assert_eq!(same(history), same(other), "{id}");
        let left: Vec<_> = history.attempts.iter().filter(|id| !gone.contains(id)).collect();
        assert_eq!(left, other.attempts.iter().collect::<Vec<_>>(), "{id}");
        for (column, visits) in history.visits.iter() {
            match other.visits.get(column) {
                Some(found) if found.key == visits.key => assert_eq!(visits, found, "{id} in {column}"),
                // An execution that was forgotten was the only one of this body.
                _ => assert!(visits.failed.is_empty() && visits.newest.is_none(), "{id} in {column}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compacted_folds_to_what_matters_and_goes_on_alike(case in case(&Outcome::ALL, 3), fuel in 0..80usize) {
        let mut world = case.in_sequence(Outcome::Pass);
        // Runs that die, runs that end, and one that is about to begin.
        world.power(fuel);
        world.run().2.ok();
        world.power(usize::MAX);
        world.run().2.unwrap();
        world.power(fuel / 2);
        world.run().2.ok();
        let mut records = world.disk.records();
        let short: Vec<Record> = kept(&records).into_iter().cloned().collect();
        matters(&fold(&records), &fold(&short));
        let again: Vec<Record> = kept(&short).into_iter().cloned().collect();
        prop_assert_eq!(&again, &short, "what is kept is kept again");
        records.truncate(records.len() / 2);
        let short: Vec<Record> = kept(&records).into_iter().cloned().collect();
        matters(&fold(&records), &fold(&short));
    }
}
