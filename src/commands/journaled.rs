//! What a journal tells, read once and record by record: a long one is held as a whole only where all of it is shown.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cycle::state::State;
use crate::failure::Failure;
use crate::journal::compact::Tally;
use crate::journal::{Record, append, replay};
use crate::report::status::NewestRun;
use crate::report::warning;
use crate::settings::Settings;
use crate::storage::Stamp;

/// What the records of one folder's journal come to.
#[derive(Debug)]
pub struct Journaled<B = ()> {
    pub cache_dir: PathBuf,
    pub state: State,
    /// What else is made of them.
    pub beside: B,
    /// Lines that could not be read.
    pub damaged: Vec<usize>,
    /// When the newest record was written; None: there is none.
    pub last: Option<Timestamp>,
    pub tally: Tally,
    /// The file, before it was read.
    stamp: Option<Stamp>,
}

/// What is made of records beside their state.
pub trait Beside: Default {
    fn take(&mut self, record: Record);
}

impl Beside for () {
    fn take(&mut self, _record: Record) {}
}

/// All of them.
impl Beside for Vec<Record> {
    fn take(&mut self, record: Record) {
        self.push(record);
    }
}

impl Beside for NewestRun {
    fn take(&mut self, record: Record) {
        self.apply(&record);
    }
}

impl<B: Beside> Journaled<B> {
    pub fn read(cache_dir: &Path) -> Result<Journaled<B>, Failure> {
        let stamp = Stamp::of(&append::path(cache_dir));
        let (mut state, mut beside) = (State::default(), B::default());
        let (mut last, mut tally) = (None, Tally::default());
        let damaged = replay::fold(cache_dir, |record| {
            state.apply(&record);
            tally.count(&record.event);
            last = Some(record.at);
            beside.take(record);
        })?;
        Ok(Journaled { cache_dir: cache_dir.to_owned(), state, beside, damaged, last, tally, stamp })
    }

    /// `before`, if the journal is still as it was when that was read.
    pub fn after(before: Option<Journaled<B>>, cache_dir: &Path) -> Result<Journaled<B>, Failure> {
        let stamp = Stamp::of(&append::path(cache_dir));
        let same = |known: &Journaled<B>| stamp.is_some() && known.stamp == stamp && known.cache_dir == cache_dir;
        before.filter(same).map_or_else(|| Journaled::read(cache_dir), Ok)
    }

    /// Without what else was made of it.
    pub fn alone(self) -> (Journaled, B) {
        let Journaled { cache_dir, state, beside, damaged, last, tally, stamp } = self;
        (Journaled { cache_dir, state, beside: (), damaged, last, tally, stamp }, beside)
    }

    /// Says once which lines could not be read, for commands that only look. It is no part of what they print: JSON is one object.
    #[must_use]
    pub fn warned(mut self, settings: &Settings) -> Self {
        let damaged = std::mem::take(&mut self.damaged);
        if !damaged.is_empty() {
            let path = settings.shown(&append::path(&self.cache_dir));
            let text = format!("{path}: lines {damaged:?} are damaged; the rest is used");
            warning(settings.env.redactor(), &text);
        }
        self
    }

    /// Somebody wrote into the journal since its last record.
    pub fn written_later(&self) -> bool {
        replay::written_later(&self.cache_dir, self.last)
    }
}
