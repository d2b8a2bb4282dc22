//! What a verdict writes on the card. Pure.

use jiff::Timestamp;
use serde_json::json;

use super::decide::Settlement;
use super::state::Attempt;
use crate::prompt::head;
use crate::provider::Note;
use crate::redact::Redactor;
use crate::rules::Verdict;

/// So much of one test's evidence is shown on a card, in bytes.
const EVIDENCE: usize = 200;

/// The state block for a settlement; `attempt` is the one that was judged, if one was.
pub fn compose(settlement: &Settlement, attempt: Option<&Attempt>, now: Timestamp, redactor: &Redactor) -> Note {
    let Settlement { from, to, verdict, reason, .. } = settlement;
    let way = match (verdict, to) {
        (Verdict::Pass, Some(to)) => format!("passed {from} → {to}"),
        (_, Some(to)) => format!("{verdict}, bounced {from} → {to}"),
        (_, None) => format!("{verdict} in {from}"),
    };
    let number =
        attempt.map(|attempt| format!(", attempt {} of {}", attempt.number, attempt.limit)).unwrap_or_default();
    let failed: Vec<_> = attempt.iter().flat_map(|a| &a.outcomes).filter(|outcome| !outcome.passed).collect();
    let mut text = format!("{way}{number} ({}): {reason}", now.strftime("%Y-%m-%d %H:%M UTC"));
    if *verdict != Verdict::Pass {
        for outcome in &failed {
            text.push_str(&format!("; {}: {}", outcome.id, head(&outcome.evidence, EVIDENCE)));
        }
    }
    let mut data = json!({
        "v": 1,
        "verdict": verdict,
        "attempt": settlement.attempt,
        "number": attempt.map(|attempt| attempt.number),
        "limit": attempt.map(|attempt| attempt.limit),
        "from": from,
        "to": to,
        "at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "failed": failed.iter().map(|outcome| &outcome.id).collect::<Vec<_>>(),
    });
    redactor.json(&mut data);
    Note { text: redactor.text(&text).into_owned(), data }
}
