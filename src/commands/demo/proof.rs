//! Whether the journal says what the demo shows. Pure.

use crate::journal::{Event, Record, Stopped};
use crate::rules::Verdict;

pub const GREETING: &str = "Greeting script";
const CHANGELOG: &str = "Start a changelog";
const FASTER: &str = "Make the start page load faster";

/// One card through two columns, one bounced, one not run; what else it is, as text.
pub fn first_run(records: &[Record]) -> Result<(), String> {
    for (title, expected) in [
        (GREETING, &[(Verdict::Pass, "In Progress", "Review"), (Verdict::Pass, "Review", "Done")][..]),
        (CHANGELOG, &[(Verdict::Fail, "In Progress", "Needs Specs")]),
        (FASTER, &[(Verdict::Unverified, "In Progress", "Needs Specs")]),
    ] {
        let moves = moves(records, title);
        if moves != expected {
            return Err(format!("`{title}` went {moves:?}"));
        }
    }
    same("codex was started for", &started(records), &[GREETING, CHANGELOG, GREETING])
}

/// Codex is not started, one card is passed over.
pub fn second_run(records: &[Record]) -> Result<(), String> {
    same("codex was started for", &started(records), &[])?;
    let summary = records.iter().rev().find_map(|record| match &record.event {
        Event::Summary { counts, stopped, .. } => Some((counts.skipped, *stopped)),
        _ => None,
    });
    match summary {
        Some((1, Stopped::Drained)) => Ok(()),
        other => Err(format!("the second run ended with {other:?}")),
    }
}

fn same(what: &str, found: &[&str], expected: &[&str]) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} {found:?}")) }
}

fn moves<'r>(records: &'r [Record], card: &str) -> Vec<(Verdict, &'r str, &'r str)> {
    let one = |record: &'r Record| match &record.event {
        Event::Transitioned { title, from, to: Some(to), verdict, .. } if title == card => {
            Some((*verdict, &*from.0, &*to.0))
        }
        _ => None,
    };
    records.iter().filter_map(one).collect()
}

/// The titles of the cards that codex was started for.
fn started(records: &[Record]) -> Vec<&str> {
    records
        .iter()
        .filter_map(|record| match &record.event {
            Event::AttemptStarted { title, .. } => Some(title.as_str()),
            _ => None,
        })
        .collect()
}
