//! The dry run's driver: assumes an outcome of every attempt, in a board that exists in memory only. It holds nothing
//! that could write or spawn.

use std::sync::Arc;

use anyhow::Result;

use super::decide::{Action, Settlement};
use super::drive::{Book, Driver};
use super::plan::Found;
use crate::board::Board;
use crate::codex::Usage;
use crate::evidence::artifacts_unchanged;
use crate::journal::{Assumed, Ending, Event, WorkTaken};
use crate::rules::Verdict;

/// An assumed attempt costs nothing.
const NOTHING: Usage =
    Usage { input_tokens: 0, cached_input_tokens: None, output_tokens: 0, reasoning_output_tokens: None };

/// A world in which every attempt passes, or every attempt fails.
#[derive(Debug)]
pub struct Simulated {
    board: Arc<Board>,
    assumed: Assumed,
}

impl Simulated {
    pub fn new(board: Arc<Board>, assumed: Assumed) -> Simulated {
        Simulated { board, assumed }
    }

    fn settle(&mut self, settlement: Settlement, book: &mut Book<'_>) -> Result<()> {
        let Settlement { attempt, card, from, to, verdict, reason, .. } = settlement;
        if let Some(to) = &to {
            // Nobody else holds it from here on: it is not copied.
            book.state.board = None;
            Arc::make_mut(&mut self.board).place(&card.id, to);
        }
        let (card, title) = (card.id.clone(), card.title.clone());
        let (hook, news) = (false, false);
        book.record(Event::Transitioned { attempt, card, title, from, to, verdict, reason, hook, news })
    }
}

impl Driver for Simulated {
    async fn perform(&mut self, action: Action, book: &mut Book<'_>) -> Result<()> {
        match action {
            Action::Finish { .. } => Ok(()),
            Action::Look => {
                book.state.board = Some(self.board.clone());
                Ok(())
            }
            // A dead runner's attempt would be run again.
            Action::Recover(attempt) => book.record(Event::AttemptEnded {
                attempt,
                ending: Ending::Interrupted,
                after: None,
                artifacts: Vec::new(),
                usage: None,
                seconds: 0.0,
                strays: 0,
                meddled: Vec::new(),
            }),
            Action::Execute(plan) => {
                book.record(plan.started(Found::default()))?;
                if !plan.card.stamped {
                    Arc::make_mut(&mut self.board).stamp(&plan.card.id);
                }
                book.record(Event::AttemptEnded {
                    attempt: plan.attempt,
                    ending: Ending::Ok,
                    after: None,
                    artifacts: Vec::new(),
                    usage: Some(NOTHING),
                    seconds: 0.0,
                    strays: 0,
                    meddled: Vec::new(),
                })
            }
            Action::Judge { attempt, plan } => {
                let (verdict, passed, reason) = match self.assumed {
                    Assumed::Pass => (Verdict::Pass, plan.require, "assumed to pass"),
                    Assumed::Fail => (Verdict::Fail, 0, "assumed to fail"),
                };
                book.record(Event::Judged {
                    attempt,
                    verdict,
                    reason: reason.to_owned(),
                    passed: passed as u32,
                    required: plan.require as u32,
                    tests: Vec::new(),
                    gate: plan.gate,
                    artifacts: Vec::new(),
                    weakened: Vec::new(),
                })
            }
            Action::TakeBack(take) => {
                let works = take.of.into_iter().map(|attempt| WorkTaken { attempt, paths: Vec::new() }).collect();
                let (attempt, left) = (take.attempt, Vec::new());
                book.record(Event::TakenBack { attempt, works, left, tree: None, restore: None })
            }
            Action::Settle(settlement) => self.settle(*settlement, book),
            Action::Refuse { plan, settlement } => {
                book.record(plan.refused())?;
                self.settle(*settlement, book)
            }
            Action::Abandon { event, .. } => book.record(*event),
            Action::Verify { attempt, plan } => {
                let workspace = book.planner.settings.workspace.clone();
                let event = plan.verified(attempt, &book.state, |artifacts| artifacts_unchanged(&workspace, artifacts));
                book.record(event)
            }
            Action::Skip { plan, why, reason } => book.record(plan.skipped(why, reason)),
            Action::Hook(owed) => book.record(Event::HookEnded {
                card: owed.card().cloned(),
                hook: owed.name(),
                ok: true,
                text: "assumed to run".into(),
            }),
            Action::Wait(_) | Action::NextPass => book.record(Event::PassEnded),
        }
    }
}
