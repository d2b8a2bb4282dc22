//! `doctor --self-test`: the loop as it is, with a stand-in for codex that works well, badly, not at all, and against the gate.

use std::path::Path;

use crate::commands::{open_board, run};
use crate::failure::{Failure, Kind};
use crate::journal::{Ending, Event, Record, replay};
use crate::provider::Wanted;
use crate::report::doctor::Findings;
use crate::rules::Verdict;
use crate::settings::{Given, Need, Settings};
use crate::storage::{Writer, temporary_folder};

const STAND_IN: &str = include_str!("stand-in.sh");
const TESTS: &str = "\
@first The first line is there :: includes[made.txt]:the first line of the self-test
@second The second line is there :: includes[made.txt]:the second line of the self-test
";
const RULES: &str = "\
statuses:
  In Progress:
    prompt: Do what the card says.
    onPass: Done
    onFail: Needs Specs
    evidence: [changes]
    requireChanges: true
";

struct Case {
    name: &'static str,
    /// What the stand-in does.
    tried: &'static str,
    /// What the card names beside its title.
    tests: &'static str,
    /// The flag that makes it short.
    limit: Option<&'static str>,
    /// Where the card has to be in the end, by what verdict, and for which reason.
    column: &'static str,
    verdict: Option<Verdict>,
    reason: &'static str,
}

const ALL: &str = "@first @second";

#[rustfmt::skip]
const CASES: [Case; 6] = [
    Case { name: "pass", tried: "all of the work is done", tests: ALL, limit: None, column: "Done", verdict: Some(Verdict::Pass), reason: "2 of 2 required tests passed" },
    Case { name: "fail", tried: "half of the work is done, and all is said to be", tests: ALL, limit: None, column: "Needs Specs", verdict: Some(Verdict::Fail), reason: "1 of 2 required tests passed" },
    Case { name: "hang", tried: "nothing is printed, no signal is heard", tests: ALL, limit: Some("start-limit"), column: "In Progress", verdict: None, reason: "start limit" },
    Case { name: "idle", tried: "it begins and falls silent", tests: ALL, limit: Some("silence-limit"), column: "Needs Specs", verdict: Some(Verdict::Fail), reason: "silence limit" },
    Case { name: "tampered", tried: "all is done, and a test added that always passes", tests: ALL, limit: None, column: "Needs Specs", verdict: Some(Verdict::Tampered), reason: "tests.txt" },
    Case { name: "too few tests", tried: "only one of two required tests belongs to the card", tests: "@first", limit: None, column: "Needs Specs", verdict: Some(Verdict::Unverified), reason: "1 of 2 required tests" },
];

/// A line a case: what was tried, and what the gate said.
pub fn run(given: &Given, findings: &mut Findings) -> Result<(), Failure> {
    let folder = temporary_folder("kanban-codex-exec-self-test-")?;
    let writer = Writer::within(&folder);
    let mut all_good = true;
    for case in &CASES {
        let said = played(case, given, &writer, &folder.join(case.name.replace(' ', "-")));
        // Of a self-test that is stopped nothing is wanted.
        let said = said.inspect_err(|_| writer.remove_folder(&folder).unwrap_or_default())?;
        let Case { name, tried, .. } = case;
        let text = |said: &str| format!("{tried}: {said}");
        match said {
            Ok(said) => findings.ok(name, text(&said)),
            Err(said) => {
                all_good = false;
                findings.error(name, text(&said), format!("look into {}", folder.display()));
            }
        }
    }
    if all_good {
        writer.remove_folder(&folder)?;
    }
    Ok(())
}

/// What the gate said, as it should or not. An error is what keeps the loop from being tried at all.
fn played(case: &Case, given: &Given, writer: &Writer, folder: &Path) -> Result<Result<String, String>, Failure> {
    writer.folder(folder)?;
    let board = format!(
        "## In Progress\n\n- [ ] Self-test: {} {} ^self-test\n\n## Needs Specs\n\n## Done\n",
        case.name, case.tests
    );
    for (name, text) in [("board.md", board.as_str()), ("tests.txt", TESTS), ("transitions.yaml", RULES)] {
        writer.replace(&folder.join(name), text.as_bytes())?;
    }
    writer.program(&folder.join("stand-in.sh"), STAND_IN.as_bytes())?;
    let settings = Settings::resolve(&flags(case, given, folder), Need::Board)?;
    let cache_dir = settings.cache_dir.clone();
    let board = open_board(&settings)?;
    let ended = run::quietly(settings);
    let stopped = [Kind::Interrupted.code(), Kind::Terminated.code()];
    match ended {
        Ok(code) if stopped.contains(&code) => {
            return Err(Failure::new(Kind::Interrupted, anyhow::anyhow!("the self-test was stopped")));
        }
        Err(failure) if failure.kind != Kind::Infrastructure || case.verdict.is_some() => {
            return Ok(Err(format!("the run failed: {:#}", failure.error)));
        }
        Ok(_) | Err(_) => {}
    }
    let records = replay::read(&cache_dir)?.records;
    let cards = &board.read(&Wanted::default())?.cards;
    let column = cards.first().map_or("nowhere", |card| &*card.status.0);
    let (verdict, reason) = said(&records);
    let name = verdict.map_or("not moved", Verdict::name);
    let told = format!("{name} ({reason}); it is in {column}");
    let started = records.iter().any(|record| matches!(record.event, Event::AttemptStarted { .. }));
    let as_expected = verdict == case.verdict
        && column == case.column
        && reason.contains(case.reason)
        && started == (case.verdict != Some(Verdict::Unverified));
    Ok(if as_expected { Ok(told) } else { Err(told) })
}

/// The user's own settings are for the user's own board.
fn flags(case: &Case, given: &Given, folder: &Path) -> Given {
    let common = [
        ("source", "board.md"),
        ("workspace", "."),
        ("codex-bin", "./stand-in.sh"),
        ("k-req", "2"),
        ("threshold", "1"),
        ("grace", "500ms"),
        ("infrastructure-limit", "1"),
        ("log-level", "error"),
    ];
    let flags = common.into_iter().chain(case.limit.map(|limit| (limit, "1s")));
    let flags = flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).collect();
    Given { flags, config: None, folder: folder.to_owned(), ..given.clone().without_settings() }
}

/// What became of the card, and why.
fn said(records: &[Record]) -> (Option<Verdict>, String) {
    let one = |record: &Record| match &record.event {
        Event::Transitioned { verdict, reason, .. } => Some((Some(*verdict), reason.clone())),
        Event::AttemptEnded { ending: Ending::Infrastructure { reason, .. }, .. } => Some((None, reason.clone())),
        _ => None,
    };
    records.iter().rev().find_map(one).unwrap_or((None, "nothing happened".to_owned()))
}
