//! The gate in the real world: collects the evidence of a card's attempts, runs shell tests, and judges.

use anyhow::Result;

use super::Live;
use super::shown::{Shown, Testing};
use crate::board::{Card, CardId};
use crate::checks::{self, Kind, TestId, TestString, shell};
use crate::cycle::drive::Book;
use crate::cycle::gate::{self, Before, Case, Ran, Tested};
use crate::cycle::plan::{CardPlan, SelectedTest, file_name};
use crate::cycle::recorded;
use crate::cycle::state::State;
use crate::evidence::{artifacts, artifacts_unchanged};
use crate::journal::{AttemptId, Event};
use crate::process::{Exit, Input, Job, OUTSIDE};
use crate::prompt::tail;
use crate::report::Report;
use crate::rules::Verdict;

/// So much of a failing command's output goes on, in bytes.
const TAIL: usize = 8000;
const KEEP: usize = 1 << 20;
/// What another attempt removed with CACHE_DIR.
const LOST: &str = "the saved trees of the card's attempts, which are gone";

impl Live {
    pub(super) async fn judge(&mut self, id: AttemptId, plan: CardPlan, book: &mut Book<'_>) -> Result<()> {
        let Some(attempt) = book.state.attempt(&id).cloned() else { return Ok(()) };
        let inputs = book.planner.inputs.clone();
        let mut tampered = attempt.meddled.clone();
        // A settled pass whose files or gate changed, work that failed, or whose card was away, is judged by what is left of
        // it in the workspace.
        let again = attempt.missed || attempt.reopened && (attempt.settled || attempt.verdict != Some(Verdict::Pass));
        let ignore = again.then(|| self.ignore_rules(&id)).flatten();
        let now = match ignore {
            Some(ignore) => self.after_tree(&id, attempt.before.as_ref(), &ignore, None)?,
            None => None,
        };
        if self.lost(&attempt.card, book)? {
            tampered.push(LOST.to_owned());
        }
        let folder = self.folder(&id);
        let (evidence, forged) = recorded::evidence(&folder, &attempt, now, &book.state, self.trees.saved())?;
        tampered.extend(forged);
        let weakened = plan.weakened(&evidence.changes);
        tampered.extend(weakened.iter().map(|file| gate::told(file)));
        let spoiled = self.spoiled(&attempt.card, &book.state);
        // Shell tests run what codex made.
        let shell = plan.runnable().any(|selected| selected.test.check.kind.is_shell());
        let watched = shell.then(|| self.watched(book));
        let mut tests = Vec::new();
        let mut stopped = false;
        let redactor = self.settings.env.redactor().knowing(evidence.changes.texts());
        for selected in plan.runnable() {
            let judged = checks::judge(&selected.test, &evidence, &plan.sources);
            let judged = judged.map(|judged| Tested::judged(&selected.test, judged, &redactor));
            let Some(tested) = self.test(&selected.test, judged, &plan, &id, &book.state, book.report).await? else {
                stopped = true;
                break;
            };
            tests.push(match &spoiled {
                Some(why) if selected.test.check.kind.is_shell() => tested.spoiled(why),
                _ => tested,
            });
        }
        if let Some(watched) = watched {
            tampered.extend(self.meddled(&watched, &attempt.card, book)?);
        }
        if stopped {
            book.state.stopping = true;
            return Ok(());
        }
        let tampered: Vec<String> = tampered.into_iter().map(|name| self.differs(name, &inputs)).collect();
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
            artifacts: artifacts(evidence.changes.files.iter()),
            weakened: artifacts(weakened.into_iter()),
        })
    }

    /// Tells of the attempts at a card whose trees are gone; false where there are none.
    pub(super) fn lost(&self, card: &CardId, book: &mut Book<'_>) -> Result<bool> {
        let mut lost = Vec::new();
        for id in book.state.history(card).iter().flat_map(|history| &history.attempts) {
            let attempt = book.state.attempt(id);
            let trees = attempt.and_then(|attempt| attempt.before.as_ref().zip(attempt.after.as_ref()));
            if let Some((before, after)) = trees
                && self.trees.saved().lack(&[before, after])?
            {
                lost.push(id.clone());
            }
        }
        if lost.is_empty() {
            return Ok(false);
        }
        book.record(Event::TreesLost { card: card.clone(), attempts: lost })?;
        Ok(true)
    }

    /// A guarded file that an attempt at another card changed, and that is still as it left it: no shell test can rest on it.
    pub(super) fn spoiled(&self, card: &CardId, state: &State) -> Option<String> {
        let weakening = state.weakening.iter().filter_map(|id| state.named(id));
        let others = weakening.filter(|(_, attempt)| attempt.card != *card);
        others.flat_map(|(id, attempt)| attempt.weakened.iter().map(move |file| (id, file))).find_map(|(id, file)| {
            let still = artifacts_unchanged(&self.settings.workspace, std::slice::from_ref(file));
            still.then(|| format!("{} is as attempt {id} weakened it: put it back", file.path))
        })
    }

    /// One test's outcome, which is that of the evidence or of its command; None when the runner is stopping.
    async fn test(
        &self,
        test: &TestString,
        judged: Option<Tested>,
        plan: &CardPlan,
        id: &AttemptId,
        state: &State,
        report: &mut dyn Report,
    ) -> Result<Option<Tested>> {
        let Kind::Shell(line) = &test.check.kind else { return Ok(judged) };
        let Some(ran) = self.shell(line, &test.id, id, &plan.card, report).await? else { return Ok(None) };
        let before = plan.rule.red_green.then(|| state.before(&plan.card.id, test.command().unwrap_or_default()));
        Ok(Some(Tested::ran(test, ran, before)))
    }

    /// Runs a `shell:` test; None when the runner is stopping.
    async fn shell(
        &self,
        line: &str,
        test: &TestId,
        id: &AttemptId,
        card: &Card,
        report: &mut dyn Report,
    ) -> Result<Option<Ran>> {
        let allowlist = shell::Allowlist::new(self.settings.shell_allowlist.iter().cloned());
        let argv = match shell::plan(line, &allowlist, self.settings.allow_shell_tests) {
            Ok(argv) => argv,
            Err(blocked) => return Ok(Some(Ran { evidence: blocked.reason, ..Ran::default() })),
        };
        // A machine without the program, or with a short PATH as under PM2, is no fault of the card's.
        let on_path = argv.first().is_some_and(|program| !program.contains('/'));
        let mut words = argv.into_iter().map(Into::into);
        let job = Job {
            program: words.next().unwrap_or_default(),
            args: words.collect(),
            folder: self.settings.workspace.clone(),
            env: self.settings.env.tests(&self.settings.workspace),
            stdin: Input::Null,
            record: self.folder(id).join("tests"),
            stdout_name: format!("{}.out", file_name(&test.0)),
            stderr_name: format!("{}.err", file_name(&test.0)),
            limit: self.settings.test_limit,
            grace: self.settings.grace,
            keep: KEEP,
            redactor: self.settings.env.redactor().clone(),
        };
        let mut shown = Shown::new(Testing::new(test), card, report);
        let ended = self.spawner.run(job, &mut shown, &mut self.stop.clone()).await?;
        let (passed, inconclusive, evidence) = match ended.exit {
            Exit::Code(0) => (true, false, "exit 0".to_owned()),
            Exit::Code(code) => (false, false, format!("exit {code}")),
            Exit::Signal(signal) => (false, false, format!("ended by signal {signal}")),
            Exit::NotStarted(why) => (false, on_path, why),
            Exit::Limit(limit) => (false, true, limit.to_owned()),
            Exit::Outside => (false, true, OUTSIDE.to_owned()),
            Exit::Stopped => return Ok(None),
        };
        let output = format!("{}{}", ended.stdout.tail, ended.stderr.tail);
        let tail = if passed { String::new() } else { tail(output.trim_end(), TAIL) };
        Ok(Some(Ran { passed, inconclusive, evidence, tail }))
    }

    /// A test before the work. One that something else ended is no fault of the card's: it is run once more.
    async fn ran_before(
        &self,
        line: &str,
        test: &TestString,
        plan: &CardPlan,
        report: &mut dyn Report,
    ) -> Result<Option<Ran>> {
        let ran = self.shell(line, &test.id, &plan.attempt, &plan.card, report).await?;
        match &ran {
            Some(ran) if ran.evidence == OUTSIDE => self.shell(line, &test.id, &plan.attempt, &plan.card, report).await,
            _ => Ok(ran),
        }
    }

    /// The card's shell tests and how they are before its work: as they were before the card's first attempt where they ran
    /// then. Before the first attempt those of later columns run as well, for when the card comes there its work is done.
    /// None when the runner is stopping.
    pub(super) async fn before(
        &self,
        plan: &CardPlan,
        book: &mut Book<'_>,
    ) -> Result<Option<Vec<(TestString, Before)>>> {
        let (card, state) = (&plan.card, &book.state);
        let mut tests: Vec<TestString> = Vec::new();
        let mut add = |plan: &CardPlan| {
            for SelectedTest { test, .. } in plan.runnable().filter(|_| plan.rule.red_green) {
                if test.check.kind.is_shell() && !tests.iter().any(|known| known.command() == test.command()) {
                    tests.push(test.clone());
                }
            }
        };
        add(plan);
        if state.history(&card.id).is_none_or(|history| history.attempts.is_empty()) {
            for (column, rule) in book.planner.inputs.rules.columns.iter().filter(|(_, rule)| rule.red_green) {
                add(&book.planner.plan_as(card, rule, column, state)?);
            }
        }
        if tests.is_empty() {
            return Ok(Some(Vec::new()));
        }
        // They run what earlier attempts made.
        let watched = self.watched(book);
        let known = self.known_before(tests, plan, book).await?;
        self.meddled(&watched, &card.id, book)?;
        Ok(known)
    }

    async fn known_before(
        &self,
        tests: Vec<TestString>,
        plan: &CardPlan,
        book: &mut Book<'_>,
    ) -> Result<Option<Vec<(TestString, Before)>>> {
        let (card, state) = (&plan.card, &book.state);
        let worked = state.worked(&card.id);
        let mut known = Vec::new();
        for test in tests {
            let line = test.command().unwrap_or_default();
            let before = match state.before(&card.id, line) {
                Before::Unknown(why) => match self.ran_before(line, &test, plan, book.report).await? {
                    None => return Ok(None),
                    Some(ran) if ran.inconclusive => {
                        Before::Unknown(format!("could not be judged before the work: {}", ran.evidence))
                    }
                    // That may be the card's own doing.
                    Some(ran) if worked && ran.passed != test.guard() => Before::Unknown(why),
                    Some(ran) if ran.passed => Before::Green,
                    Some(_) => Before::Red,
                },
                before => before,
            };
            known.push((test, before));
        }
        Ok(Some(known))
    }
}
