//! The prompt: `status.prompt + "\n\n" + task.body`, and after a failed attempt what was wrong with it. Pure.

use sha2::{Digest, Sha256};

use crate::cycle::state::Attempt;
use crate::journal::{Ending, TestOutcome};
use crate::redact::Redactor;
use crate::rules::Verdict;
use crate::storage;

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
    pub limit: u32,
    /// How many attempts failed in the column so far, this one included.
    pub failures: u32,
    pub column: &'a str,
    pub reason: &'a str,
    pub tampered: bool,
    /// The tests that were no proof.
    pub failed: Vec<&'a TestOutcome>,
    pub changed: Vec<String>,
    /// What it did was taken back.
    pub taken: bool,
}

/// At most so much of a reason, of one test's line and its evidence, of a command's output, of the changed files' names and
/// of all together goes into a prompt, in bytes.
const EVIDENCE: usize = 1000;
const TAIL: usize = 4000;
const PATHS: usize = 3000;
const WHOLE: usize = 16_000;

impl Prompt {
    /// Composes the prompt; secrets are taken out of the whole text.
    pub fn compose(status_prompt: &str, body: &str, feedback: Option<&Feedback>, redactor: &Redactor) -> Prompt {
        let mut text = format!("{status_prompt}\n\n{body}");
        if let Some(feedback) = feedback {
            text.push_str("\n\n");
            text.push_str(&feedback.text(redactor));
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
    storage::hex(&hash.finalize())
}

impl<'a> Feedback<'a> {
    /// Of an attempt that did not pass.
    pub fn of(attempt: &'a Attempt, failures: u32) -> Feedback<'a> {
        Feedback {
            number: attempt.number,
            limit: attempt.limit,
            failures,
            column: &attempt.column.0,
            reason: match &attempt.ending {
                Ending::Work { reason } if attempt.verdict != Some(Verdict::Tampered) => reason,
                _ => &attempt.reason,
            },
            tampered: attempt.verdict == Some(Verdict::Tampered),
            failed: attempt.outcomes.iter().filter(|outcome| outcome.lacks()).collect(),
            changed: {
                let taken = |path| attempt.taken.as_ref().is_some_and(|taken| taken.paths.contains(path));
                let stand = attempt.artifacts.iter().map(|artifact| &artifact.path).filter(|path| !taken(path));
                stand.map(ToString::to_string).collect()
            },
            taken: attempt.taken.as_ref().is_some_and(|taken| !taken.paths.is_empty()),
        }
    }

    /// A secret that is cut is none that the redactor knows: it looks first.
    fn text(&self, redactor: &Redactor) -> String {
        let clean = |text: &str| redactor.text(text).into_owned();
        let Feedback { number, limit, column, .. } = self;
        let reason = head(&clean(self.reason), EVIDENCE);
        let mut text = format!("Attempt {number} of {limit} at this card (in {column}) was not accepted: {reason}.");
        text.push_str(&match self.failures {
            0 => String::new(),
            1 => " 1 attempt failed so far.".to_owned(),
            many => format!(" {many} attempts failed so far."),
        });
        if self.taken {
            text.push_str(" What it did was taken back: the files are as they were before it, so do the work anew.");
        }
        if self.tampered && self.taken {
            text.push_str(" What a card is judged by is no part of its work: leave that as it is.");
        } else if self.tampered {
            text.push_str(" Put that back as it was: what a card is judged by is no part of its work.");
        }
        if !self.failed.is_empty() {
            text.push_str("\n\nTests that failed:");
        }
        let tests = self.failed.iter().map(|outcome| {
            let test = head(&clean(&outcome.text), EVIDENCE);
            let line = format!("\n- {test}: {}", head(&clean(&outcome.told()), EVIDENCE));
            match outcome.tail.is_empty() {
                true => [line, String::new()],
                false => [line, format!("\n  the end of its output:\n{}", tail(&clean(&outcome.tail), TAIL))],
            }
        });
        text = listed(text, &tests.collect::<Vec<_>>(), WHOLE - PATHS, "\n- ");
        if !self.changed.is_empty() {
            text.push_str("\n\nFiles that were changed for this card already:");
        }
        let most = text.len() + PATHS - 200;
        let paths = self.changed.iter().map(|path| [format!("\n- {}", head(path, EVIDENCE)), String::new()]);
        listed(text, &paths.collect::<Vec<_>>(), most, "\n- ")
    }
}

/// `text` with the items that fit, and how many don't. Their second parts go in where all of that leaves room.
pub fn listed(mut text: String, items: &[[String; 2]], most: usize, separator: &str) -> String {
    let room = most.saturating_sub(text.len());
    let ends = items.iter().scan(0, |end, [item, _]| {
        *end += item.len();
        Some(*end)
    });
    let ends: Vec<usize> = ends.take_while(|end| *end <= room).collect();
    let mut left = room - ends.last().copied().unwrap_or(0);
    for [item, more] in &items[..ends.len()] {
        text.push_str(item);
        if more.len() <= left {
            text.push_str(more);
            left -= more.len();
        }
    }
    match items.len() - ends.len() {
        0 => text,
        many => format!("{text}{separator}and {many} more"),
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

    fn feedback<'a>(failed: &[&'a TestOutcome]) -> Feedback<'a> {
        Feedback {
            number: 2,
            limit: 3,
            failures: 2,
            column: "In Progress",
            reason: "1 of 3 required tests passed",
            tampered: false,
            failed: failed.to_vec(),
            changed: vec!["a.txt".into()],
            taken: false,
        }
    }

    #[test]
    fn a_failed_attempt_is_told_as_a_third_part() {
        let failed =
            outcome("@greet includes:hello", "`hello` stands in none of 2 added lines; nearest a.txt:1 `hallo`", "");
        let shell = outcome("shell:cargo test", "exit 101", "line\nlast line");
        let green = TestOutcome { passed: true, ..outcome("shell:true", "exit 0, but it was green before", "") };
        let feedback = feedback(&[&failed, &shell, &green]);
        let prompt = Prompt::compose("P", "B", Some(&feedback), &Redactor::default());
        let expected = "P\n\nB\n\nAttempt 2 of 3 at this card (in In Progress) was not accepted: \
            1 of 3 required tests passed. 2 attempts failed so far.\n\n\
            Tests that failed:\n\
            - @greet includes:hello: `hello` stands in none of 2 added lines; nearest a.txt:1 `hallo`\n\
            - shell:cargo test: exit 101\n  the end of its output:\nline\nlast line\n\
            - shell:true: does not count: exit 0, but it was green before\n\n\
            Files that were changed for this card already:\n- a.txt";
        assert_eq!(prompt.text, expected);
        assert_eq!(hash("P", "B"), Prompt::compose("P", "B", None, &Redactor::default()).sha256, "not part of the key");
    }

    #[test]
    fn who_bent_the_tests_is_told_to_put_them_back() {
        let tampered =
            Feedback { tampered: true, failures: 1, reason: "changed during the attempt: t", ..feedback(&[]) };
        let text = tampered.text(&Redactor::default());
        assert!(
            text.contains("changed during the attempt: t. 1 attempt failed so far. Put that back as it was"),
            "{text}"
        );
    }

    #[test]
    fn who_worked_in_vain_is_told_what_is_left_of_it() {
        let taken = Feedback { taken: true, tampered: true, ..feedback(&[]) };
        let text = taken.text(&Redactor::default());
        let said = "2 attempts failed so far. What it did was taken back: the files are as they were before it, so do the \
            work anew. What a card is judged by is no part of its work: leave that as it is.\n\nFiles that were changed for \
            this card already:\n- a.txt";
        assert!(text.ends_with(said), "{text}");
    }

    #[test]
    fn feedback_is_bounded_and_shows_the_end_of_output() {
        let long = outcome("shell:x", &"é".repeat(5000), &format!("{}THE END", "é".repeat(50_000)));
        let short = outcome("shell:y", "exit 1", "");
        let many: Vec<_> = (0..5).map(|_| &long).chain((0..50).map(|_| &short)).collect();
        let changed = (0..9000).map(|number| format!("{number}/{}", "ü".repeat(900))).collect();
        let text = Feedback { changed, ..feedback(&many) }.text(&Redactor::default());
        assert!(text.len() <= WHOLE, "{}", text.len());
        assert!(text.contains("THE END") && text.contains("\n- and 8998 more"), "{text}");
        assert_eq!(text.matches("\n- shell:x").count(), 5, "a test that has no room for its output is named");
        assert_eq!(text.matches("\n- shell:y: exit 1").count(), 50);
        let many: Vec<_> = (0..5000).map(|_| &short).collect();
        let text = feedback(&many).text(&Redactor::default());
        let (told, rest) = (text.matches("\n- shell:y").count(), text.split_once("\n- and ").unwrap().1);
        assert!(rest.starts_with(&format!("{} more", 5000 - told)), "{told} and {rest}");
    }

    #[test]
    fn a_secret_is_taken_out_before_anything_is_cut() {
        let redactor = Redactor::new([("API_TOKEN".to_owned(), "s3cr3t-value".repeat(8))]);
        for at in EVIDENCE - 100..EVIDENCE + 4 {
            let text = format!("{}{}", "x".repeat(at), "s3cr3t-value".repeat(8));
            let failed = outcome(&text, &text, &format!("{}{}", "s3cr3t-value".repeat(8), "x".repeat(TAIL - at % 90)));
            let text = Feedback { reason: &text, ..feedback(&[&failed]) }.text(&redactor);
            assert!(!text.contains("s3cr") && !text.contains("alue"), "{at}: {text}");
        }
    }

    #[test]
    fn cuts_fall_between_characters() {
        for most in 0..8 {
            assert!(tail("äöü", most).len() <= most + 3);
            assert!(head("äöü", most).len() <= most + 3);
        }
    }
}
