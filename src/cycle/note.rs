//! What a verdict writes on the card. Pure.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::json;

use super::decide::Settlement;
use super::state::Attempt;
use crate::board::CardId;
use crate::journal::TestOutcome;
use crate::prompt::{head, listed, tail};
use crate::provider::Note;
use crate::redact::Redactor;
use crate::rules::Verdict;

/// So much of a reason, of one test's evidence, of its output and of all together is shown on a card, in bytes.
const REASON: usize = 400;
const EVIDENCE: usize = 360;
const OUTPUT: usize = 160;
const WHOLE: usize = 1100;
/// Tests that are named for the machine.
const NAMED: usize = 50;

/// The state block for a settlement that was reached `at`; `attempt` is the one that was judged, or else the one whose
/// failure used the card's attempts up.
pub fn compose(settlement: &Settlement, attempt: Option<&Attempt>, at: Timestamp, redactor: &Redactor) -> Note {
    let Settlement { from, to, verdict, .. } = settlement;
    let way = match (verdict, to) {
        (Verdict::Pass, Some(to)) => format!("passed {from} → {to}"),
        (_, Some(to)) => format!("{verdict}, bounced {from} → {to}"),
        (_, None) => format!("{verdict} in {from}"),
    };
    let judged = attempt.filter(|_| settlement.attempt.is_some());
    let number = judged.map(number).unwrap_or_default();
    // A secret that is cut is none that the redactor knows: it looks first.
    let clean = |text: &str| redactor.text(text).into_owned();
    let reason = head(&clean(&settlement.reason), REASON);
    let mut text = format!("{way}{number} ({}): {reason}", at.strftime("%Y-%m-%d %H:%M UTC"));
    let mut failed: Vec<&TestOutcome> = Vec::new();
    if *verdict != Verdict::Pass {
        text.push_str(&judged.map(|attempt| advice(*verdict, attempt, &settlement.card.id)).unwrap_or_default());
        failed = attempt.iter().flat_map(|attempt| &attempt.outcomes).filter(|outcome| outcome.lacks()).collect();
        let tests = failed.iter().map(|outcome| {
            let last = last_lines(&clean(&outcome.tail));
            let output = if last.is_empty() { last } else { format!("; its output ends: {last}") };
            [format!("; {}: {}", outcome.id, head(&clean(&outcome.told()), EVIDENCE)), output]
        });
        text = listed(text, &tests.collect::<Vec<_>>(), WHOLE, "; ");
    }
    let mut data = json!({
        "v": 1,
        "verdict": verdict,
        "attempt": settlement.attempt,
        "number": judged.map(|attempt| attempt.number),
        "limit": judged.map(|attempt| attempt.limit),
        "from": from,
        "to": to,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "failed": failed.iter().take(NAMED).map(|outcome| &outcome.id).collect::<Vec<_>>(),
    });
    redactor.json(&mut data);
    Note { text: redactor.text(&text).into_owned(), data }
}

fn number(attempt: &Attempt) -> String {
    let Attempt { number, limit, .. } = attempt;
    match number.saturating_sub(1) {
        0 => format!(", attempt {number} of {limit}"),
        1 => format!(", attempt {number} of {limit}; 1 earlier attempt failed"),
        earlier => format!(", attempt {number} of {limit}; {earlier} earlier attempts failed"),
    }
}

/// What only a person can do about it.
fn advice(verdict: Verdict, attempt: &Attempt, card: &CardId) -> String {
    let mut advice = String::new();
    if verdict == Verdict::Tampered {
        advice.push_str(
            "; put it back: until then cards are judged by what was accepted last (`accept` adopts what changed)",
        );
    }
    if attempt.number >= attempt.limit {
        advice.push_str(&format!("; no attempts are left: edit the card or `retry {card}`"));
    }
    advice
}

/// The last lines of an output as one line.
fn last_lines(output: &str) -> String {
    let mut lines: Vec<&str> = output.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
    lines.reverse();
    tail(&lines.join(" / "), OUTPUT)
}
