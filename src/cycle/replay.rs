//! A recorded attempt judged again as the loop judges, but without codex and without commands. Pure.

use std::collections::BTreeSet;

use super::gate::{self, Case, Judgement, Ran, Tested};
use super::plan::{CardPlan, weakened};
use super::state::{Attempt, State};
use crate::checks::{self, Kind, TestId, TestString};
use crate::evidence::{ChangeSet, Evidence};
use crate::journal::{AttemptId, Event, Record, TestOutcome};
use crate::process::TIME_LIMIT;
use crate::redact::Redactor;
use crate::rules::Rule;

/// An attempt when it was first judged to the end, and everything that was known then.
#[derive(Debug)]
pub struct Past {
    pub id: AttemptId,
    pub attempt: Attempt,
    /// The card's attempts up to this one, and the inputs that were accepted.
    pub state: State,
    pub required: u32,
}

impl Past {
    /// None: it was not judged. What became of a pass that was looked at again later is not its verdict: the workspace
    /// that decided it then is gone.
    pub fn of(records: &[Record], id: &AttemptId) -> Option<Past> {
        let reopened = |record: &Record| matches!(&record.event, Event::Reopened { attempt, .. } if attempt == id);
        let required = |record: &Record| match &record.event {
            Event::Judged { attempt, required, .. } if attempt == id => Some(*required),
            _ => None,
        };
        let first = records.iter().take_while(|record| !reopened(record)).enumerate();
        let (at, required) = first.filter_map(|(at, record)| Some((at, required(record)?))).last()?;
        let mut state = State::default();
        records.iter().take(at + 1).for_each(|record| state.apply(record));
        // What is gone since is in no change set any more.
        let gone = records.iter().skip(at + 1).filter(|record| matches!(record.event, Event::LetGo { .. }));
        gone.for_each(|record| state.apply(record));
        Some(Past { id: id.clone(), attempt: state.attempt(id)?.clone(), state, required })
    }

    /// What the same line said.
    fn outcome(&self, test: &TestString) -> Option<&TestOutcome> {
        self.attempt.outcomes.iter().find(|outcome| outcome.text == test.text)
    }

    /// What was tampered with: the inputs that were held for it, files of the program's own, and what `bar` guards.
    fn tampered(&self, bar: &Bar, changes: &ChangeSet) -> Vec<String> {
        let before = |file: &&String| self.attempt.unaccepted.iter().any(|input| input.file == **file);
        let held = self.state.held_inputs.keys().filter(|file| !before(file));
        let guarded = weakened(&bar.rule, bar.tests.iter(), changes).into_iter().map(gate::told);
        let files: BTreeSet<&String> = held.chain(&self.attempt.meddled).collect();
        files.into_iter().cloned().chain(guarded).collect()
    }
}

/// What an attempt is judged by.
#[derive(Debug)]
pub struct Bar {
    pub tests: Vec<TestString>,
    /// Tests that belong to it and can't be judged, and why.
    pub left_out: Vec<(TestId, String)>,
    pub rule: Rule,
    pub require: usize,
}

impl Bar {
    /// By a plan. A command that may not run is as good as any other where its outcome is recorded.
    pub fn planned(plan: &CardPlan, past: &Past) -> Bar {
        let mut bar = Bar { tests: Vec::new(), left_out: Vec::new(), rule: plan.rule.clone(), require: plan.require };
        for selected in &plan.tests {
            match &selected.blocked {
                Some(blocked) if past.outcome(&selected.test).is_none() => {
                    bar.left_out.push((selected.test.id.clone(), blocked.clone()));
                }
                _ => bar.tests.push(selected.test.clone()),
            }
        }
        bar
    }

    /// By the tests that were judged, as `tests` has them.
    pub fn recorded(past: &Past, tests: &[TestString], rule: &Rule, require: usize) -> Bar {
        let mut bar = Bar { tests: Vec::new(), left_out: Vec::new(), rule: rule.clone(), require };
        for outcome in &past.attempt.outcomes {
            match tests.iter().find(|test| test.id == outcome.id) {
                Some(test) => bar.tests.push(test.clone()),
                None => bar.left_out.push((outcome.id.clone(), "the tests file has no such test".to_owned())),
            }
        }
        bar
    }
}

/// The verdict, and what each test said. `forged`: what of the saved trees is.
pub fn judge(
    past: &Past,
    bar: &Bar,
    evidence: &Evidence,
    forged: Option<String>,
    redactor: &Redactor,
) -> (Judgement, Vec<TestOutcome>) {
    let (sources, redactor) = (bar.rule.sources(), redactor.knowing(evidence.changes.texts()));
    let tested = |test: &TestString| match (&test.check.kind, checks::judge(test, evidence, &sources)) {
        (Kind::Shell(_), _) | (_, None) => recorded(test, past.outcome(test)),
        (_, Some(judged)) => Tested::judged(test, judged, &redactor),
    };
    let tests: Vec<Tested> = bar.tests.iter().map(tested).collect();
    let mut tampered = past.tampered(bar, &evidence.changes);
    tampered.extend(forged);
    let judgement = gate::judge(&Case {
        ending: &past.attempt.ending,
        tampered: &tampered,
        tests: &tests,
        require: bar.require,
        lacks_changes: bar.rule.require_changes && evidence.changes.is_empty(),
    });
    (judgement, tests.into_iter().map(|tested| tested.outcome).collect())
}

/// A command is not run again: the files that it ran on are gone.
fn recorded(test: &TestString, outcome: Option<&TestOutcome>) -> Tested {
    let Some(outcome) = outcome else {
        let evidence = "inconclusive: not run again, and no outcome is recorded".to_owned();
        return Tested::ran(test, Ran { inconclusive: true, evidence, ..Ran::default() }, None);
    };
    let ran = Ran {
        passed: outcome.passed,
        inconclusive: outcome.evidence == TIME_LIMIT,
        evidence: format!("recorded: {}", outcome.evidence),
        tail: outcome.tail.clone(),
    };
    let tested = Tested::ran(test, ran, None);
    Tested { outcome: TestOutcome { counts: outcome.counts, ..tested.outcome }, ..tested }
}
