//! The gate's outcomes as JUnit XML: a suite for each card, of its newest judged attempt, with a case for the gate itself
//! and one for each test string. Pure.

use maud::{Markup, PreEscaped, html};

use super::story::{AttemptStory, CardStory, Fate, Story};
use crate::journal::TestOutcome;

struct Suite<'s> {
    card: &'s CardStory,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    outcome: Outcome,
    seconds: f64,
}

/// As JUnit knows them. The texts are what is told, and more of it.
enum Outcome {
    Passed,
    Skipped(String),
    Failed { kind: &'static str, message: String, more: String },
    Error { kind: &'static str, message: String },
}

/// Cards that were never worked have nothing to tell.
pub fn document(story: &Story) -> String {
    let touched = story.cards.iter().filter(|card| card.fate != Fate::Untouched);
    let suites: Vec<Suite<'_>> = touched.map(Suite::of).collect();
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let markup = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites name="kanban-codex-exec" tests=(all().count()) failures=(all().filter(|case| case.failed()).count())
            errors=(all().filter(|case| case.errors()).count()) skipped=(all().filter(|case| case.skipped()).count())
            time=(time(story.totals.seconds)) {
            @for suite in &suites { "\n" (suite.markup()) }
            "\n"
        }
        "\n"
    };
    markup.into_string()
}

impl<'s> Suite<'s> {
    fn of(card: &'s CardStory) -> Suite<'s> {
        let gate = Case { name: "gate".to_owned(), outcome: gate(card), seconds: card.seconds() };
        let passed = card.fate == Fate::Passed;
        let tests: Vec<Case> = match (card.fate, card.judged()) {
            (Fate::Unverified, _) | (_, None) => {
                let tests = card.selection.iter().flat_map(|selection| &selection.tests);
                let why = |blocked: &Option<String>| blocked.clone().unwrap_or_else(|| "not run".to_owned());
                tests.map(|test| Case::of(&test.text, Outcome::Skipped(why(&test.blocked)))).collect()
            }
            (_, Some(AttemptStory { tests, .. })) => {
                tests.iter().map(|test| Case::of(&test.text, tested(test, passed))).collect()
            }
        };
        Suite { card, cases: std::iter::once(gate).chain(tests).collect() }
    }

    fn markup(&self) -> Markup {
        let Suite { card, cases } = self;
        let attempt = card.judged().or(card.attempts.last());
        let count = |wanted: fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).count();
        html! {
            testsuite name=(format!("{} ({})", card.title, card.id)) tests=(cases.len()) failures=(count(Case::failed))
                errors=(count(Case::errors)) skipped=(count(Case::skipped)) time=(time(card.seconds()))
                timestamp=[attempt.map(|attempt| attempt.started.strftime("%Y-%m-%dT%H:%M:%S").to_string())] {
                @for case in cases {
                    "\n  "
                    testcase name=(case.name) classname=(card.id) time=(time(case.seconds)) {
                        @match &case.outcome {
                            Outcome::Passed => {}
                            Outcome::Skipped(message) => { skipped message=(message) {} }
                            Outcome::Failed { kind, message, more } => { failure type=(kind) message=(message) { (more) } }
                            Outcome::Error { kind, message } => { error type=(kind) message=(message) {} }
                        }
                    }
                }
                "\n"
            }
        }
    }
}

impl Case {
    fn of(text: &str, outcome: Outcome) -> Case {
        Case { name: text.to_owned(), outcome, seconds: 0.0 }
    }

    fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }

    fn errors(&self) -> bool {
        matches!(self.outcome, Outcome::Error { .. })
    }

    fn skipped(&self) -> bool {
        matches!(self.outcome, Outcome::Skipped(_))
    }
}

/// What became of the card, whatever single tests say.
fn gate(card: &CardStory) -> Outcome {
    let failed = |kind| Outcome::Failed { kind, message: card.reason.clone(), more: String::new() };
    let error = |kind| Outcome::Error { kind, message: card.reason.clone() };
    match card.fate {
        Fate::Passed => Outcome::Passed,
        Fate::Failed => failed("failed"),
        Fate::Tampered => failed("tampered"),
        Fate::Vetoed => failed("vetoed"),
        Fate::Exhausted => failed("exhausted"),
        Fate::Inconclusive => error("inconclusive"),
        Fate::Infrastructure => error("infrastructure"),
        Fate::Unverified | Fate::Untouched | Fate::Interrupted | Fate::Moved | Fate::Open => {
            Outcome::Skipped(format!("{}: {}", card.fate.name(), card.reason))
        }
    }
}

/// Where the gate passed without a test, that did not pass and was not needed: no reason to fail a build.
fn tested(test: &TestOutcome, passed: bool) -> Outcome {
    match test.lacks() {
        false => Outcome::Passed,
        true if passed => Outcome::Skipped(format!("not needed: {}", test.told())),
        true => {
            let kind = if test.passed { "not_counted" } else { "not_passed" };
            Outcome::Failed { kind, message: test.told(), more: test.tail.clone() }
        }
    }
}

fn time(seconds: f64) -> String {
    format!("{seconds:.3}")
}
