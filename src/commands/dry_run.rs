//! `dry-run`: the loop over a simulated world, once with every attempt passing and once with every attempt failing.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::{Opened, say};
use crate::cycle::clock::Clock;
use crate::cycle::drive::{Book, drive};
use crate::cycle::simulated::Simulated;
use crate::failure::Failure;
use crate::journal::{Assumed, Counts, Event, Record, Stopped, VERSION};
use crate::report::{Report, json::Json, paths::Paths, terminal::Terminal};
use crate::settings::{Format, Settings};

pub fn dry_run(settings: Settings) -> Result<u8, Failure> {
    let mut opened = Opened::open(Arc::new(settings))?;
    // A watch never ends by draining; what it would do now is the same.
    Arc::make_mut(&mut opened.settings).watch = false;
    let settings = opened.settings.clone();
    let (board, state, planner) = opened.as_if_run();
    let redactor = settings.env.redactor();
    let said = Said::default();
    let mut report: Box<dyn Report> = match settings.format {
        Format::Human => {
            Box::new(Paths::new(Box::new(said.clone()), redactor.clone(), Terminal::of(&settings), &board))
        }
        Format::Json => Box::new(Json { out: Box::new(said.clone()), redactor: redactor.clone() }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(anyhow::Error::from)?;
    let mut all = Counts::default();
    let mut ended = (Stopped::Drained, String::new());
    for assumed in [Assumed::Pass, Assumed::Fail] {
        let mut keep = ();
        let (state, planner) = (state.clone(), planner.clone());
        let clock = Clock::after(state.now, Timestamp::now, Instant::now);
        let mut book = Book { state, planner, keep: &mut keep, report: report.as_mut(), clock };
        let mut world = Simulated::new(board.clone(), assumed);
        book.record(Event::Assumed { assumed })?;
        let end = runtime.block_on(drive(&mut world, &mut book))?;
        // Which item a list waits for where each attempt fails is no news.
        if assumed == Assumed::Pass || end.0 != Stopped::Drained {
            ended = end;
        }
        let counts = book.state.counts;
        match assumed {
            Assumed::Pass => all = Counts { bounced: 0, failed: 0, ..counts },
            Assumed::Fail => all = Counts { bounced: counts.bounced, failed: counts.failed, ..all },
        }
    }
    let (stopped, reason) = ended;
    let event = Event::Summary { counts: all, stopped, reason: format!("dry run: {reason}") };
    let now = Timestamp::now();
    report.show(&Record { v: VERSION, at: now.round(jiff::Unit::Millisecond).unwrap_or(now), event });
    say(&said.text())?;
    Ok(0)
}

/// A report is shown and can't fail; here somebody may wait for it alone, so it is kept, and printed as a whole.
#[derive(Default, Clone)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Said {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
