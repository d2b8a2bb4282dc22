//! The driver that acts: journals the intent, does it, journals the outcome. Holds everything that writes or spawns.

mod execute;
mod judge;
mod look;
mod retain;
mod settle;
mod shown;
mod take_back;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result};

use super::decide::{Action, Wait};
use super::drive::{Book, Driver};
use crate::changes::Changes;
use crate::evidence::{Trees, artifacts_unchanged};
use crate::failure::{Failure, Kind};
use crate::journal::{AttemptId, Event};
use crate::process::{Spawner, Stop};
use crate::provider::Provider;
use crate::settings::Settings;
use crate::storage::{Reserve, RunLock, Writer};

/// Polling is never a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// How often in a row an act is put off because of the board.
const PATIENCE: u32 = 10;

/// Everything that a run acts with.
pub struct Live {
    pub settings: Arc<Settings>,
    pub writer: Writer,
    pub spawner: Spawner,
    pub provider: Arc<dyn Provider>,
    pub trees: Trees,
    pub stop: Stop,
    /// Of the board's files, of the gate inputs and of what people ask for.
    pub changes: Changes,
    /// New inputs that were told to have errors: told once.
    pub rejected: Vec<String>,
    /// Warnings about the board, and cards that are passed over: told once, not at each look.
    pub told: std::collections::BTreeSet<String>,
    /// The loop already said that it waits.
    pub idle: bool,
    /// Somebody wrote into the journal after its runner's death.
    pub disowned: bool,
    /// How often the last act was put off because of the board.
    pub put_off: u32,
    /// For what is written when codex has filled the disk.
    pub reserve: Reserve,
    /// Let go of last.
    pub lock: RunLock,
}

impl Driver for Live {
    async fn perform(&mut self, action: Action, book: &mut Book<'_>) -> Result<()> {
        // What is looked at and passed over again and again while waiting is no news.
        if !matches!(action, Action::Look | Action::Wait(_) | Action::Skip { .. } | Action::Verify { .. }) {
            self.idle = false;
        }
        let looked = matches!(action, Action::Look);
        let done = match self.act(action, book).await {
            Err(error) => match error.downcast::<Failure>() {
                Ok(failure) if failure.kind == Kind::Infrastructure => book.record(Event::Unreachable {
                    reason: format!("{:#}", failure.error),
                    hint: failure.hints.join("; "),
                    wait_seconds: failure.wait_seconds(),
                }),
                // The board can't be read or written for now: what was begun is still owed, and done after another look.
                Ok(_) if !looked && self.put_off < PATIENCE => {
                    self.put_off += 1;
                    book.state.board = None;
                    return Ok(());
                }
                Ok(failure) => Err(Error::msg(failure)),
                Err(error) => Err(error),
            },
            done => done,
        };
        if !looked {
            self.put_off = 0;
        }
        done
    }
}

impl Live {
    async fn act(&mut self, action: Action, book: &mut Book<'_>) -> Result<()> {
        match action {
            Action::Finish { .. } => Ok(()),
            Action::Look => self.look(book).await,
            Action::Recover(attempt) => self.recover(&attempt, book).await,
            Action::Execute(plan) => self.execute(*plan, book).await,
            Action::Judge { attempt, plan } => self.judge(attempt, *plan, book).await,
            Action::TakeBack(take) => self.take_back(&take, book),
            Action::Settle(settlement) => self.settle(*settlement, book).await,
            Action::Refuse { plan, settlement } => {
                book.record(plan.refused())?;
                self.settle(*settlement, book).await
            }
            Action::Abandon { event, told } => {
                if let Some(told) = told {
                    self.tell(&told, book)?;
                }
                book.record(*event)
            }
            Action::Verify { attempt, plan } => {
                let unchanged = |artifacts: &_| artifacts_unchanged(&self.settings.workspace, artifacts);
                match plan.verified(attempt, &book.state, unchanged) {
                    skipped @ Event::Skipped { .. } => self.pass_over(skipped, book),
                    event => book.record(event),
                }
            }
            Action::Skip { plan, why, reason } => self.pass_over(plan.skipped(why, reason), book),
            Action::Hook(owed) => self.after(owed, book).await,
            Action::Wait(wait) => self.wait(wait, book).await,
            Action::NextPass => {
                if let Some(board) = book.state.board.clone() {
                    self.retain(&board, book)?;
                }
                book.record(Event::PassEnded)
            }
        }
    }

    fn folder(&self, attempt: &AttemptId) -> PathBuf {
        attempt.folder(&self.settings.cache_dir)
    }

    /// Sleeps; a stop ends it.
    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time.max(SHORTEST_WAIT)) => {}
            _ = self.stop.wait() => {}
        }
    }

    /// Sleeps until something changes, at most so long.
    async fn pause_for_changes(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time.max(SHORTEST_WAIT)) => {}
            // Whoever writes one file often writes another.
            () = self.changes.heard() => tokio::time::sleep(SHORTEST_WAIT).await,
            _ = self.stop.wait() => {}
        }
    }

    fn pass_over(&mut self, skipped: Event, book: &mut Book<'_>) -> Result<()> {
        if self.told.insert(format!("{skipped:?}")) {
            return book.record(skipped);
        }
        book.again(skipped);
        Ok(())
    }

    async fn wait(&mut self, wait: Wait, book: &mut Book<'_>) -> Result<()> {
        let (time, reason, poll) = match wait {
            Wait::Backoff { time, reason } => (time, reason, false),
            Wait::Board => {
                (self.settings.poll_interval.max(self.provider.rest()), "for the board to change".to_owned(), true)
            }
            Wait::Resume => (self.settings.poll_interval, "paused, for `resume`".to_owned(), true),
        };
        let said = std::mem::replace(&mut self.idle, poll);
        if !(poll && said) {
            book.record(Event::Waiting { seconds: time.as_secs_f64().ceil() as u64, reason })?;
        }
        match poll {
            true => self.pause_for_changes(time).await,
            false => self.pause(time).await,
        }
        book.state.stopping = self.stop.asked().is_some();
        // A wait for people begins a new pass; one for the network goes on in the same.
        if poll {
            book.again(Event::PassEnded);
        }
        Ok(())
    }
}
