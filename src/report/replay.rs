//! A recorded attempt judged again, as `replay` prints it.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use crate::cycle::gate::Judgement;
use crate::cycle::replay::{Bar, Past};
use crate::journal::TestOutcome;
use crate::rules::Verdict;

/// `replay --format json`.
#[derive(Debug, JsonSchema, Serialize)]
pub struct Replay {
    pub version: u32,
    pub attempt: String,
    pub card: String,
    pub title: String,
    pub column: String,
    pub judged_by: JudgedBy,
    pub then: Said,
    pub now: Said,
    /// Tests that belong to it and were not judged now.
    pub left_out: Vec<LeftOut>,
    pub same_verdict: bool,
    /// For people, one difference each.
    pub differences: Vec<String>,
    /// What of the evidence is missing.
    pub notes: Vec<String>,
}

/// Whose tests and rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JudgedBy {
    /// Those that are selected today for the card as the board has it.
    Today,
    /// Those that it had, as today's file has them: the card is gone.
    TodayWithoutCard,
    /// Those that were accepted when it was judged.
    Then,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct Said {
    pub verdict: Option<Verdict>,
    pub reason: String,
    pub required: usize,
    pub tests: Vec<TestOutcome>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub struct LeftOut {
    pub id: String,
    pub reason: String,
}

impl Replay {
    pub fn of(past: &Past, judged_by: JudgedBy, bar: &Bar, now: (Judgement, Vec<TestOutcome>)) -> Replay {
        let (judgement, tests) = now;
        let attempt = &past.attempt;
        let then = Said {
            verdict: attempt.verdict,
            reason: attempt.reason.clone(),
            required: past.required as usize,
            tests: attempt.outcomes.clone(),
        };
        let now = Said { verdict: Some(judgement.verdict), reason: judgement.reason, required: bar.require, tests };
        let left_out = bar.left_out.iter().map(|(id, reason)| LeftOut { id: id.0.clone(), reason: reason.clone() });
        Replay {
            version: 1,
            attempt: past.id.0.clone(),
            card: attempt.card.0.to_string(),
            title: attempt.title.clone(),
            column: attempt.column.0.to_string(),
            judged_by,
            same_verdict: then.verdict == now.verdict,
            differences: differences(&then, &now),
            left_out: left_out.collect(),
            then,
            now,
            notes: Vec::new(),
        }
    }
}

fn differences(then: &Said, now: &Said) -> Vec<String> {
    let mut all = Vec::new();
    if then.verdict != now.verdict {
        all.push(format!("the verdict: {} then, {} now", name(then.verdict), name(now.verdict)));
    }
    if then.required != now.required {
        all.push(format!("the tests that must pass: {} then, {} now", then.required, now.required));
    }
    for test in &now.tests {
        let before = then.tests.iter().find(|before| before.id == test.id);
        let line = before.filter(|before| before.text != test.text).map_or("", |_| "; its line is another");
        match before {
            Some(before) if word(before) == word(test) && line.is_empty() => {}
            before => {
                let before = before.map_or("not judged", word);
                all.push(format!("{}: {before} then, {} now{line}", test.id, word(test)));
            }
        }
    }
    let gone = then.tests.iter().filter(|test| now.tests.iter().all(|now| now.id != test.id));
    all.extend(gone.map(|test| format!("{}: {} then, not judged now", test.id, word(test))));
    all
}

fn word(test: &TestOutcome) -> &'static str {
    match (test.passed, test.counts) {
        (true, true) => "ok",
        (true, false) => "not counted",
        (false, _) => "NO",
    }
}

fn name(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("none", Verdict::name)
}

pub fn human(replay: &Replay) -> String {
    let Replay { attempt, title, column, then, now, .. } = replay;
    let mut page = Page::default();
    page.line("attempt", &format!("{attempt} in {column}: {title}"));
    page.line(
        "by",
        match replay.judged_by {
            JudgedBy::Today => "today's rules, and the tests that are selected for the card today",
            JudgedBy::TodayWithoutCard => "today's rules, and its own tests as they are today: the card is gone",
            JudgedBy::Then => "the rules and tests that were accepted then",
        },
    );
    for note in &replay.notes {
        page.line("note", note);
    }
    page.line("then", &format!("{}: {}", name(then.verdict), then.reason));
    page.line("now", &format!("{}: {}", name(now.verdict), now.reason));
    page.outcomes(&now.tests);
    for LeftOut { id, reason } in &replay.left_out {
        page.hanging("      ..  ", &format!("{id} not judged: {reason}"));
    }
    let mut label = "differs";
    for difference in &replay.differences {
        page.line(std::mem::take(&mut label), difference);
    }
    if replay.differences.is_empty() {
        page.line(label, "nothing");
    }
    page.into_text()
}
