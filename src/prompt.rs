//! The prompt: `status.prompt + "\n\n" + task.body`, and after a failed attempt what was wrong with it. Pure.

use sha2::{Digest, Sha256};

use crate::cycle::state::Attempt;
use crate::journal::{Ending, TestOutcome};
use crate::redact::Redactor;

/// What codex is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// Lower-case hex SHA-256 of `text`.
    pub sha256: String,
}

/// What the last attempt left to mend.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback<'a> {
    pub number: u32,
    pub column: &'a str,
    pub reason: &'a str,
    pub failed: Vec<&'a TestOutcome>,
    pub changed: Vec<String>,
}

/// At most so much of one test's evidence, of a command's output and of all together goes into a prompt, in bytes.
const EVIDENCE: usize = 1000;
const TAIL: usize = 4000;
const WHOLE: usize = 16_000;

impl Prompt {
    /// Composes the prompt; secrets are taken out of the whole text.
    pub fn compose(status_prompt: &str, body: &str, feedback: Option<&Feedback>, redactor: &Redactor) -> Prompt {
        let mut text = format!("{status_prompt}\n\n{body}");
        if let Some(feedback) = feedback {
            text.push_str("\n\n");
            text.push_str(&feedback.text());
        }
        let text = redactor.text(&text).into_owned();
        Prompt { sha256: hex(&[text.as_bytes()]), text }
    }
}

/// Covers the column's prompt and the card's body, not the feedback: the same work has the same hash.
pub fn hash(status_prompt: &str, body: &str) -> String {
    hex(&[status_prompt.as_bytes(), b"\n\n", body.as_bytes()])
}

fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<'a> Feedback<'a> {
    /// Of an attempt that did not pass.
    pub fn of(attempt: &'a Attempt) -> Feedback<'a> {
        Feedback {
            number: attempt.number,
            column: &attempt.column.0,
            reason: match &attempt.ending {
                Ending::Work { reason } => reason,
                Ending::Ok | Ending::Infrastructure { .. } | Ending::Interrupted => &attempt.reason,
            },
            failed: attempt.outcomes.iter().filter(|outcome| !outcome.passed).collect(),
            changed: attempt.artifacts.iter().map(|artifact| artifact.path.to_string()).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text =
            format!("Attempt {} at this card (in {}) was not accepted: {}.", self.number, self.column, self.reason);
        if !self.failed.is_empty() {
            text.push_str("\n\nTests that failed:");
        }
        for outcome in &self.failed {
            text.push_str(&format!("\n- {}: {}", outcome.text, tail(&outcome.evidence, EVIDENCE)));
            if !outcome.tail.is_empty() {
                text.push_str(&format!("\n  the end of its output:\n{}", tail(&outcome.tail, TAIL)));
            }
        }
        if !self.changed.is_empty() {
            text.push_str("\n\nFiles that were changed for this card already:");
            self.changed.iter().take(100).for_each(|path| text.push_str(&format!("\n- {path}")));
            if self.changed.len() > 100 {
                text.push_str(&format!("\n- and {} more", self.changed.len() - 100));
            }
        }
        head(&text, WHOLE)
    }
}

/// The last `most` bytes, from a character's start, with a sign that something is missing.
pub fn tail(text: &str, most: usize) -> String {
    match text.len() > most {
        true => format!("…{}", &text[text.ceil_char_boundary(text.len() - most)..]),
        false => text.to_owned(),
    }
}

/// The first `most` bytes, to a character's end, with a sign that something is missing.
pub fn head(text: &str, most: usize) -> String {
    match text.len() > most {
        true => format!("{}…", &text[..text.floor_char_boundary(most)]),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::TestId;

    fn outcome(text: &str, evidence: &str, tail: &str) -> TestOutcome {
        TestOutcome {
            id: TestId("t".into()),
            text: text.into(),
            passed: false,
            counts: false,
            evidence: evidence.into(),
            tail: tail.into(),
        }
    }

    #[test]
    fn the_prompt_is_the_columns_prompt_and_the_body_exactly() {
        let prompt = Prompt::compose("Implement it.", "Add a greeting\n\tin é", None, &Redactor::default());
        assert_eq!(prompt.text, "Implement it.\n\nAdd a greeting\n\tin é");
        assert_eq!(prompt.sha256, hash("Implement it.", "Add a greeting\n\tin é"));
        assert_eq!(Prompt::compose("", "x", None, &Redactor::default()).text, "\n\nx");
    }

    #[test]
    fn a_failed_attempt_is_told_as_a_third_part() {
        let failed =
            outcome("@greet includes:hello", "`hello` stands in none of 2 added lines; nearest a.txt:1 `hallo`", "");
        let shell = outcome("shell:cargo test", "exit 101", "line\nlast line");
        let feedback = Feedback {
            number: 2,
            column: "In Progress",
            reason: "1 of 3 required tests passed",
            failed: vec![&failed, &shell],
            changed: vec!["a.txt".into()],
        };
        let prompt = Prompt::compose("P", "B", Some(&feedback), &Redactor::default());
        let expected = "P\n\nB\n\nAttempt 2 at this card (in In Progress) was not accepted: 1 of 3 required tests passed.\n\n\
            Tests that failed:\n\
            - @greet includes:hello: `hello` stands in none of 2 added lines; nearest a.txt:1 `hallo`\n\
            - shell:cargo test: exit 101\n  the end of its output:\nline\nlast line\n\n\
            Files that were changed for this card already:\n- a.txt";
        assert_eq!(prompt.text, expected);
        assert_eq!(hash("P", "B"), Prompt::compose("P", "B", None, &Redactor::default()).sha256, "not part of the key");
    }

    #[test]
    fn feedback_is_bounded_and_shows_the_end_of_output() {
        let long = outcome("shell:x", &"é".repeat(5000), &format!("{}THE END", "é".repeat(50_000)));
        let many: Vec<_> = (0..50).map(|_| &long).collect();
        let feedback = Feedback { number: 1, column: "A", reason: "r", failed: many, changed: vec![] };
        let text = feedback.text();
        assert!(text.len() <= WHOLE + 4, "{}", text.len());
        assert!(text.contains("THE END"));
    }

    #[test]
    fn cuts_fall_between_characters() {
        for most in 0..8 {
            assert!(tail("äöü", most).len() <= most + 3);
            assert!(head("äöü", most).len() <= most + 3);
        }
    }
}
