//! The gate in the real world: collects the evidence of a card's attempts, runs shell tests, and judges.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::Live;
use crate::board::CardId;
use crate::checks::{self, Kind, TestId, TestString, shell};
use crate::cycle::drive::Book;
use crate::cycle::gate::{self, Case, Ran, Tested};
use crate::cycle::plan::CardPlan;
use crate::cycle::state::State;
use crate::evidence::{ChangeSet, Evidence, TreeId, artifacts};
use crate::journal::{AttemptId, Event};
use crate::process::{Exit, Input, Job};
use crate::prompt::tail;

/// So much of a failing command's output goes on, in bytes.
const TAIL: usize = 8000;
const KEEP: usize = 1 << 20;

impl Live {
    pub(super) async fn judge(&mut self, id: AttemptId, plan: CardPlan, book: &mut Book<'_>) -> Result<()> {
        let Some(attempt) = book.state.attempts.get(&id).cloned() else { return Ok(()) };
        let tampered = self.tampered(&attempt, book)?;
        // A settled pass whose files or gate changed is judged by what is left of it in the workspace.
        let ignore = (attempt.reopened && attempt.settled).then(|| self.ignore_rules(&id)).flatten();
        let now = ignore.and_then(|ignore| self.after_tree(&id, attempt.before.as_ref(), &ignore));
        let evidence = self.evidence(&id, &attempt.card, now, &book.state)?;
        let mut tests = Vec::new();
        for selected in plan.tests.iter().filter(|selected| selected.blocked.is_none()) {
            let Some(tested) = self.test(&selected.test, &plan, &evidence, &attempt.green, &id).await? else {
                book.state.stopping = true;
                return Ok(());
            };
            tests.push(tested);
        }
        let judgement = gate::judge(&Case {
            ending: &attempt.ending,
            tampered: &tampered,
            tests: &tests,
            require: plan.require,
            lacks_changes: plan.rule.require_changes && evidence.changes.is_empty(),
        });
        book.record(Event::Judged {
            attempt: id,
            verdict: judgement.verdict,
            reason: judgement.reason,
            passed: judgement.passed,
            required: plan.require as u32,
            tests: tests.into_iter().map(|tested| tested.outcome).collect(),
            gate: plan.gate,
            artifacts: artifacts(&evidence.changes),
        })
    }

    /// What this attempt's tests are judged against: its message, and what all attempts of the card changed.
    fn evidence(&self, id: &AttemptId, card: &CardId, now: Option<TreeId>, state: &State) -> Result<Evidence> {
        let folder = self.folder(id);
        let read = |name: &str| fs::read(folder.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Evidence {
            message: read("message.md").unwrap_or_default(),
            prompt: read("prompt.md").unwrap_or_default(),
            changes: self.change_set(card, now, state)?,
        })
    }

    /// What the card's attempts changed and what stands of it after the last one, or in the tree `now`.
    fn change_set(&self, card: &CardId, now: Option<TreeId>, state: &State) -> Result<ChangeSet> {
        let attempts = state.history(card).map(|history| history.attempts.as_slice()).unwrap_or_default();
        let trees = attempts.iter().filter_map(|id| state.attempts.get(id));
        let trees = trees.filter_map(|attempt| Some((attempt.before.clone()?, attempt.after.clone()?)));
        // Nothing happened from `now` to `now`: it adds nothing, and is what the lines must stand in.
        let trees: Vec<(TreeId, TreeId)> = trees.chain(now.map(|now| (now.clone(), now))).collect();
        self.trees.change_set(&trees).context("the change set of the card's attempts can't be read")
    }

    /// One test's outcome; None when the runner is stopping.
    async fn test(
        &self,
        test: &TestString,
        plan: &CardPlan,
        evidence: &Evidence,
        green: &[TestId],
        id: &AttemptId,
    ) -> Result<Option<Tested>> {
        let line = match (&test.check.kind, checks::judge(test, evidence, &plan.sources)) {
            (Kind::Shell(line), _) => line,
            (_, judged) => return Ok(judged.map(|judged| Tested::judged(test, judged))),
        };
        let Some(ran) = self.shell(line, &test.id, id).await? else { return Ok(None) };
        let before = plan.rule.red_green.then(|| green.contains(&test.id));
        Ok(Some(Tested::ran(test, ran, before)))
    }

    /// Runs a `shell:` test; None when the runner is stopping.
    pub(super) async fn shell(&self, line: &str, test: &TestId, id: &AttemptId) -> Result<Option<Ran>> {
        let allowlist = shell::Allowlist::new(self.settings.shell_allowlist.iter().cloned());
        let argv = match shell::plan(line, &allowlist, self.settings.allow_shell_tests) {
            Ok(argv) => argv,
            Err(blocked) => return Ok(Some(Ran { evidence: blocked.reason, ..Ran::default() })),
        };
        let mut words = argv.into_iter().map(Into::into);
        let job = Job {
            program: words.next().unwrap_or_default(),
            args: words.collect(),
            folder: self.settings.workspace.clone(),
            env: self.settings.env.tests(),
            stdin: Input::Null,
            record: self.folder(id).join("tests"),
            stdout_name: format!("{}.out", safe(&test.0)),
            stderr_name: format!("{}.err", safe(&test.0)),
            limit: self.settings.test_limit,
            grace: self.settings.grace,
            keep: KEEP,
            redactor: self.settings.env.redactor().clone(),
        };
        let ended = self.spawner.run(job, &mut (), &mut self.stop.clone()).await?;
        let (passed, inconclusive, evidence) = match ended.exit {
            Exit::Code(0) => (true, false, "exit 0".to_owned()),
            Exit::Code(code) => (false, false, format!("exit {code}")),
            Exit::Signal(signal) => (false, false, format!("ended by signal {signal}")),
            Exit::NotStarted(why) => (false, false, why),
            Exit::Limit(limit) => (false, true, limit.to_owned()),
            Exit::Stopped | Exit::Outside => return Ok(None),
        };
        let output = format!("{}{}", ended.stdout.tail, ended.stderr.tail);
        let tail = if passed { String::new() } else { tail(output.trim_end(), TAIL) };
        Ok(Some(Ran { passed, inconclusive, evidence, tail }))
    }

    /// The shell tests of a `redGreen` column that are green before the work: as they were before the card's first
    /// attempt where they ran then. None when the runner is stopping.
    pub(super) async fn green_before(&self, plan: &CardPlan, state: &State) -> Result<Option<Vec<TestId>>> {
        if !plan.rule.red_green {
            return Ok(Some(Vec::new()));
        }
        let attempts = state.history(&plan.card.id).map(|history| history.attempts.as_slice()).unwrap_or_default();
        let mut known = BTreeMap::new();
        for attempt in attempts.iter().filter_map(|id| state.attempts.get(id)) {
            for test in &attempt.tests {
                known.entry(test.clone()).or_insert_with(|| attempt.green.contains(test));
            }
        }
        let mut green = Vec::new();
        for selected in plan.tests.iter().filter(|selected| selected.blocked.is_none()) {
            let Kind::Shell(line) = &selected.test.check.kind else { continue };
            let id = &selected.test.id;
            let was_green = match known.get(id) {
                Some(was_green) => *was_green,
                None => match self.shell(line, id, &plan.attempt).await? {
                    Some(ran) => ran.passed,
                    None => return Ok(None),
                },
            };
            if was_green {
                green.push(id.clone());
            }
        }
        Ok(Some(green))
    }
}

/// A test's id as part of a file name.
fn safe(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}
