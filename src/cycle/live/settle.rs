//! A verdict on the board: hooks, the move, the state block.

use anyhow::Result;

use super::Live;
use crate::board::Column;
use crate::cycle::decide::Settlement;
use crate::cycle::drive::Book;
use crate::cycle::note;
use crate::cycle::state::OwedHook;
use crate::hooks::{self, Answer, Transition};
use crate::journal::Event;
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
        if let (Some(hook), Some(to)) = (&plan.rule.before, to) {
            let transition = self.transition("beforeTransition", &settlement, to);
            match self.hook(hook, &transition, book).await? {
                Answer::Yes => {}
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
                let note = Some(&note).filter(|_| !plain);
                self.provider.transition(&self.writer, &id, from, to, note)?
            }
            None => self.provider.update(&self.writer, &id, from, &note)?,
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
                book.record(Event::Transitioned { attempt, card: id, title, from, to, verdict, reason, hook })
            }
            Applied::Elsewhere(now) => {
                let reason = match &now {
                    Some(_) => "the card was moved meanwhile".to_owned(),
                    None => "the card is gone from the board".to_owned(),
                };
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
        self.tell(&Settlement { to: None, reason: reason.clone(), ..settlement.clone() }, book)?;
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
        let failure = || book.state.history(&settlement.card.id).and_then(|history| history.failure.as_ref());
        let told = match settlement.verdict {
            Verdict::Exhausted => failure(),
            _ => settlement.attempt.as_ref(),
        };
        let judged =
            told.and_then(|id| book.state.attempts.get(id)).filter(|attempt| attempt.column == settlement.from);
        note::compose(settlement, judged, book.now(), self.settings.env.redactor())
    }

    /// Runs an owed afterTransition hook, once: one that a dead runner started is not repeated.
    pub(super) async fn after(&mut self, owed: OwedHook, book: &mut Book<'_>) -> Result<()> {
        let rule = book.planner.inputs.rules.columns.get(&owed.from);
        let missed = match rule.and_then(|rule| rule.after.clone()) {
            _ if owed.started => "the runner died while it ran; it is not repeated",
            None => "the rules have no such hook any more",
            Some(hook) => {
                let settings = self.settings.clone();
                let transition = Transition {
                    hook: "afterTransition",
                    card: &owed.card,
                    title: &owed.title,
                    from: &owed.from,
                    to: &owed.to,
                    verdict: owed.verdict,
                    reason: &owed.reason,
                    attempt: owed.attempt.as_ref(),
                    workspace: &settings.workspace,
                };
                let answer = self.hook(&hook, &transition, book).await?;
                book.state.stopping |= answer == Answer::Stopped;
                return Ok(());
            }
        };
        let (hook, text) = ("afterTransition".to_owned(), missed.to_owned());
        book.record(Event::HookEnded { card: owed.card, hook, ok: false, text })
    }

    fn transition<'s>(&'s self, hook: &'static str, settlement: &'s Settlement, to: &'s Column) -> Transition<'s> {
        Transition {
            hook,
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
    async fn hook(&self, hook: &Hook, transition: &Transition<'_>, book: &mut Book<'_>) -> Result<Answer> {
        let (card, name) = (transition.card.clone(), transition.hook.to_owned());
        book.record(Event::HookStarted { card: card.clone(), hook: name.clone() })?;
        let changed = book.planner.inputs.of_hook(hook, &self.settings).find(|file| file.now() != file.bytes);
        let answer = match changed {
            Some(file) if transition.verdict == Verdict::Pass => {
                Answer::No(format!("{} is not as accepted; `accept` adopts it", file.name))
            }
            // A card is sent back all the same.
            Some(file) => {
                let text = format!("the hook {} is not as accepted, so it was not run; `accept` adopts it", file.name);
                book.record(Event::Warning { text })?;
                Answer::Yes
            }
            None => hooks::run(&self.spawner, &self.settings, hook, transition, &mut self.stop.clone()).await?,
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
