//! What a job at a card lets the report show while it runs.

use std::time::Instant;

use crate::board::Card;
use crate::checks::TestId;
use crate::codex::{EventWatch, Told};
use crate::process::Watch;
use crate::report::{Progress, Report};
use crate::storage::RunLock;

/// Watches a job as `watch` does, and shows how it goes on.
pub struct Shown<'w, W> {
    pub watch: W,
    card: &'w Card,
    began: Instant,
    report: &'w mut dyn Report,
}

/// Says what there is to say of a job now.
pub trait Says {
    fn latest(&self) -> Option<&Told>;
}

impl Says for EventWatch {
    fn latest(&self) -> Option<&Told> {
        EventWatch::latest(self)
    }
}

/// A shell test, of which nothing but that it runs is shown.
pub struct Testing(Told);

impl Testing {
    pub fn new(test: &TestId) -> Testing {
        Testing(Told { what: "test".to_owned(), text: test.to_string() })
    }
}

impl Watch for Testing {
    fn stdout(&mut self, _piece: &[u8], _now: Instant) {}

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        None
    }
}

impl Says for Testing {
    fn latest(&self) -> Option<&Told> {
        Some(&self.0)
    }
}

impl<'w, W> Shown<'w, W> {
    pub fn new(watch: W, card: &'w Card, report: &'w mut dyn Report) -> Shown<'w, W> {
        Shown { watch, card, began: Instant::now(), report }
    }
}

impl<W: Watch + Says> Watch for Shown<'_, W> {
    fn stdout(&mut self, piece: &[u8], now: Instant) {
        self.watch.stdout(piece, now);
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.watch.deadline()
    }

    fn tick(&mut self, now: Instant) {
        let (title, column) = (&*self.card.title, &self.card.status);
        let (elapsed, latest) = (now.duration_since(self.began), self.watch.latest());
        self.report.progress(&Progress { title, column, elapsed, latest });
    }
}

/// Watches a job as `watch` does, and takes the run lock anew where its files are removed meanwhile: codex can work for an
/// hour, in which a second run would start. Where one has, the next attempt finds it.
pub struct Locked<'l, W> {
    pub watch: W,
    pub lock: &'l mut RunLock,
}

impl<W: Watch> Watch for Locked<'_, W> {
    fn stdout(&mut self, piece: &[u8], now: Instant) {
        self.watch.stdout(piece, now);
    }

    fn deadline(&self) -> Option<(Instant, &'static str)> {
        self.watch.deadline()
    }

    fn tick(&mut self, now: Instant) {
        self.watch.tick(now);
        match self.lock.keep() {
            Ok(Ok(())) => {}
            Ok(Err(held)) => tracing::debug!("{}", held.refusal().error),
            Err(error) => tracing::debug!("the lock can't be looked at: {error:#}"),
        }
    }
}
