//! A verdict on the board: hooks, the move, the state block.

use std::path::Path;

use anyhow::{Error, Result, anyhow};
use serde_json::Value;

use super::Live;
use crate::board::{CardId, Column};
use crate::cycle::decide::Settlement;
use crate::cycle::drive::Book;
use crate::cycle::note;
use crate::cycle::plan::CardPlan;
use crate::cycle::state::{Hears, Moved, OwedHook};
use crate::failure::{Failure, Kind};
use crate::hooks::{self, Answer, News, Transition};
use crate::journal::{AttemptId, Counts, Event};
use crate::provider::{Applied, Note};
use crate::rules::{Hook, Verdict};

impl Live {
    /// Carries a verdict out. The intent is journaled before, what the board says after.
    pub(super) async fn settle(&mut self, settlement: Settlement, book: &mut Book<'_>) -> Result<()> {
        let Settlement { attempt, card, from, to, verdict, reason, plan } = &settlement;
        let (attempt, id, title) = (attempt.clone(), card.id.clone(), card.title.clone());
        book.record(Event::TransitionStarted {
            attempt: attempt.clone(),
            card: id.clone(),
            from: from.clone(),
            to: to.clone(),
            verdict: *verdict,
        })?;
        let mut asked = "";
        if let (Some(hook), Some(to)) = (&plan.rule.before, to) {
            let told = serde_json::to_value(self.transition(&settlement, to))?;
            let call = Call {
                name: "beforeTransition".into(),
                card: Some(id.clone()),
                told,
                sends_back: *verdict != Verdict::Pass,
            };
            match self.hook(hook, call, book).await? {
                Answer::Yes => asked = ", after beforeTransition had said yes",
                Answer::Stopped => {
                    book.state.stopping = true;
                    return Ok(());
                }
                Answer::No(said) => {
                    let reason = format!("beforeTransition to {to} said no: {said}");
                    return self.vetoed(&settlement, to, reason, book);
                }
            }
        }
        let note = self.note(&settlement, book);
        let applied = match to {
            Some(to) => {
                self.create_column(to, book)?;
                // A to-do list is ticked and nothing else, unless an older note would be wrong now.
                let plain = self.settings.next && *verdict == Verdict::Pass && card.state.is_none();
                self.provider.transition(&self.writer, &plan.card, to, Some(&note).filter(|_| !plain))?
            }
            None => self.provider.transition(&self.writer, &plan.card, from, Some(&note))?,
        };
        if let Applied::Refused(said) = &applied {
            let reason = format!("{title}: the board can't be written as wanted: {said}");
            match to {
                Some(to) => return self.vetoed(&settlement, to, reason, book),
                None => book.record(Event::Warning { text: reason })?,
            }
        }
        let (from, to, verdict, reason) = (from.clone(), to.clone(), *verdict, reason.clone());
        match applied {
            Applied::Done { .. } | Applied::Already | Applied::Refused(_) => {
                let hook = to.is_some() && plan.rule.after.is_some();
                let title = title.to_string();
                let news = !book.planner.inputs.rules.on_event.is_empty();
                book.record(Event::Transitioned { attempt, card: id, title, from, to, verdict, reason, hook, news })
            }
            Applied::Reworded => Err(reworded(&settlement.plan)),
            Applied::Elsewhere(now) => {
                let what =
                    if now.is_some() { "the card was moved meanwhile" } else { "the card is gone from the board" };
                let reason = format!("{what}{asked}");
                book.record(Event::Elsewhere { attempt, card: id, from, now, reason, spent: false, edited: None })
            }
        }
    }

    fn create_column(&self, to: &Column, book: &Book<'_>) -> Result<()> {
        if !book.planner.inputs.rules.create_columns {
            return Ok(());
        }
        self.provider.create_column(&self.writer, to)
    }

    /// The card stays, and the reason is written on it.
    fn vetoed(&self, settlement: &Settlement, to: &Column, reason: String, book: &mut Book<'_>) -> Result<()> {
        let Settlement { attempt, card, from, plan, .. } = settlement;
        let note = self.note(&Settlement { to: None, reason: reason.clone(), ..settlement.clone() }, book);
        if self.provider.transition(&self.writer, &plan.card, from, Some(&note))? == Applied::Reworded {
            return Err(reworded(plan));
        }
        book.record(Event::Vetoed {
            attempt: attempt.clone(),
            card: card.id.clone(),
            from: from.clone(),
            to: to.clone(),
            key: plan.key.clone(),
            gate: plan.gate.clone(),
            reason,
        })
    }

    /// Writes on the card why it stays.
    pub(super) fn tell(&self, told: &Settlement, book: &Book<'_>) -> Result<()> {
        let note = self.note(told, book);
        self.provider.update(&self.writer, &told.card.id, &told.from, &note).map(drop)
    }

    fn note(&self, settlement: &Settlement, book: &Book<'_>) -> Note {
        let state = &book.state;
        let passed = |id: &AttemptId| state.attempt(id).is_some_and(|attempt| attempt.verdict == Some(Verdict::Pass));
        let history = state.history(&settlement.card.id);
        let here = || history?.visits.get(&settlement.from)?.newest.as_ref().filter(|id| !passed(id));
        let told = match settlement.verdict {
            Verdict::Exhausted => here().or_else(|| history?.failure.as_ref()),
            _ => settlement.attempt.as_ref(),
        };
        let judged = told.and_then(|id| state.attempt(id));
        // What was written before its answer was lost is to be known again: it says when it was judged.
        let given = settlement.attempt.as_ref().and_then(|id| state.attempt(id)?.judged);
        let at = given.unwrap_or_else(|| book.now());
        note::compose(settlement, judged, at, self.settings.env.redactor())
    }

    /// Runs an owed hook, once: one that a dead runner started is not repeated.
    pub(super) async fn after(&mut self, owed: OwedHook, book: &mut Book<'_>) -> Result<()> {
        let rules = &book.planner.inputs.rules;
        let hook = match (owed.hears, &owed.moved) {
            (Hears::Move, Some(moved)) => rules.columns.get(&moved.from).and_then(|rule| rule.after.clone()),
            (Hears::Move, None) => None,
            (Hears::News(occasion), _) => rules.on_event.get(&occasion).cloned(),
        };
        let (name, card) = (owed.name(), owed.card().cloned());
        let (ok, text) = match hook {
            _ if owed.started => (false, "the runner died while it ran; it is not repeated"),
            None if owed.hears == Hears::Move => (false, "the rules have no such hook any more"),
            // It is no news any more, for one who listens from tomorrow on neither.
            None => (true, "nobody listens"),
            Some(hook) => {
                let sends_back = owed.moved.as_ref().is_some_and(|moved| moved.verdict != Verdict::Pass);
                let told = told(&owed, &self.settings.workspace, book.state.counts)?;
                let answer = self.hook(&hook, Call { name, card, told, sends_back }, book).await?;
                book.state.stopping |= answer == Answer::Stopped;
                return Ok(());
            }
        };
        book.record(Event::HookEnded { card, hook: name, ok, text: text.to_owned() })
    }

    fn transition<'s>(&'s self, settlement: &'s Settlement, to: &'s Column) -> Transition<'s> {
        Transition {
            hook: "beforeTransition",
            card: &settlement.card.id,
            title: &settlement.card.title,
            from: &settlement.from,
            to,
            verdict: settlement.verdict,
            reason: &settlement.reason,
            attempt: settlement.attempt.as_ref(),
            workspace: &self.settings.workspace,
        }
    }

    /// Runs a hook between its two records. One whose file is not as accepted is not run.
    async fn hook(&self, hook: &Hook, call: Call, book: &mut Book<'_>) -> Result<Answer> {
        let Call { name, card, told, sends_back } = call;
        book.record(Event::HookStarted { card: card.clone(), hook: name.clone() })?;
        let changed = book.planner.inputs.of_hook(hook, &self.settings).find(|file| file.changed());
        let answer = match changed {
            // A card is sent back all the same.
            Some(file) if sends_back => {
                let text = format!("the hook {} is not as accepted, so it was not run; `accept` adopts it", file.name);
                book.record(Event::Warning { text })?;
                Answer::Yes
            }
            Some(file) => Answer::No(format!("{} is not as accepted; `accept` adopts it", file.name)),
            None => hooks::run(&self.spawner, &self.settings, hook, told, &mut self.stop.clone()).await?,
        };
        let (ok, text) = match &answer {
            Answer::Yes => (true, String::new()),
            Answer::No(text) => (false, text.clone()),
            Answer::Stopped => (false, "stopped".to_owned()),
        };
        book.record(Event::HookEnded { card, hook: name, ok, text })?;
        Ok(answer)
    }
}

/// Gate and hook took their time, and the card says something else by now. It is looked at again: an edit like one that came
/// while codex worked.
fn reworded(plan: &CardPlan) -> Error {
    let text = anyhow!("{} is edited each time that it is to be moved or written on", plan.card.title);
    Error::msg(Failure::new(Kind::Error, text).hint("stop the other program that edits it"))
}

/// One run of a hook.
struct Call {
    /// As the journal calls it.
    name: String,
    card: Option<CardId>,
    told: Value,
    /// It is about a card that did not pass.
    sends_back: bool,
}

/// What a hook that hears is told.
fn told(owed: &OwedHook, workspace: &Path, counts: Counts) -> Result<Value> {
    let reason = owed.reason.as_str();
    let moved = owed.moved.as_ref();
    Ok(match (owed.hears, moved) {
        (Hears::Move, Some(Moved { card, title, attempt, from, to: Some(to), verdict })) => {
            let (hook, verdict, attempt) = ("afterTransition", *verdict, attempt.as_ref());
            serde_json::to_value(Transition { hook, card, title, from, to, verdict, reason, attempt, workspace })?
        }
        (Hears::Move, _) => Value::Null,
        (Hears::News(event), moved) => serde_json::to_value(News {
            hook: "onEvent",
            event,
            card: owed.card(),
            title: moved.map(|moved| moved.title.as_str()),
            from: moved.map(|moved| &moved.from),
            to: moved.and_then(|moved| moved.to.as_ref()),
            verdict: moved.map(|moved| moved.verdict),
            reason,
            attempt: moved.and_then(|moved| moved.attempt.as_ref()),
            counts,
            workspace,
        })?,
    })
}
