//! The loop.

use anyhow::Result;

use super::clock::Clock;
use super::decide::{Action, decide};
use super::plan::Planner;
use super::state::State;
use crate::journal::{Event, Keep, Record, Stopped, VERSION};
use crate::report::Report;

/// Does what was decided, or assumes that it was done. Everything that happens is told to the book.
pub trait Driver {
    fn perform(&mut self, action: Action, book: &mut Book<'_>) -> impl Future<Output = Result<()>>;
}

/// The state and its witnesses: what is recorded is kept first, then applied, then shown.
pub struct Book<'b> {
    pub state: State,
    pub planner: Planner,
    pub keep: &'b mut dyn Keep,
    pub report: &'b mut dyn Report,
    pub clock: Clock,
}

impl Book<'_> {
    /// The time, to the millisecond.
    pub fn now(&self) -> jiff::Timestamp {
        let now = self.clock.now();
        now.round(jiff::Unit::Millisecond).unwrap_or(now).max(self.state.now)
    }

    pub fn record(&mut self, event: Event) -> Result<()> {
        let record = Record { v: VERSION, at: self.now(), event };
        if record.event.durable() {
            self.keep.keep(&record)?;
        }
        self.state.apply(&record);
        self.report.show(&record);
        Ok(())
    }

    /// Takes in what was shown before and nobody needs to keep.
    pub fn again(&mut self, event: Event) {
        self.state.apply(&Record { v: VERSION, at: self.now(), event });
    }
}

/// Runs until there is nothing to do or something forbids it.
pub async fn drive(driver: &mut impl Driver, book: &mut Book<'_>) -> Result<(Stopped, String)> {
    loop {
        (book.state.now, book.state.running_for) = (book.now(), book.clock.running_for());
        match decide(&book.state, &book.planner)? {
            Action::Finish { stopped, reason } => return Ok((stopped, reason)),
            action => driver.perform(action, book).await?,
        }
    }
}
