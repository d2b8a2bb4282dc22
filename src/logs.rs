//! `tracing` to size- and count-bounded files in CACHE_DIR/logs and to stderr. A full disk, a closed pipe or a dead
//! terminal never stops or blocks the loop: writers are threads that give up on errors, and what they can't keep up with is
//! dropped.

use std::fs;
use std::io::{Write, stderr, stdout};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Result;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::redact::Redactor;
use crate::settings::Settings;
use crate::storage::{RotatingFile, Writer};

/// Holds the writers' threads; what they still have is written when it is dropped.
pub struct Logs {
    _guards: Vec<WorkerGuard>,
    stdout: NonBlocking,
}

impl Logs {
    /// For the report: a reader that stops reading doesn't stop the loop.
    pub fn stdout(&self) -> Box<dyn Write + Send> {
        Box::new(self.stdout.clone())
    }

    /// Says how many lines of the report its reader was too slow for.
    pub fn tell_dropped(&self) {
        let dropped = self.stdout.error_counter().dropped_lines();
        if dropped > 0 {
            tracing::warn!("{dropped} lines of the report were dropped: nobody read stdout; the journal has them");
        }
    }
}

/// The files that stdout and stderr were sent to. Nothing where the system doesn't tell, as macOS.
pub fn redirected() -> impl Iterator<Item = PathBuf> {
    let targets = ["/proc/self/fd/1", "/proc/self/fd/2"].into_iter().filter_map(|link| fs::read_link(link).ok());
    targets.filter(|target| target.is_file())
}

/// Starts logging for a run. `before` goes before each line on stderr.
pub fn start(writer: &Writer, settings: &Settings, before: &'static str) -> Result<Logs> {
    let folder = settings.cache_dir.join("logs");
    writer.folder(&folder)?;
    let (file, file_guard) = tracing_appender::non_blocking(RotatingFile::new(writer.clone(), folder.join("run.log")));
    let (errors, errors_guard) = tracing_appender::non_blocking(stderr());
    let (stdout, stdout_guard) = tracing_appender::non_blocking(stdout());
    let level = LevelFilter::from_str(&settings.log_level).unwrap_or(LevelFilter::INFO);
    let redactor = settings.env.redactor();
    let clean = |out, before| Clean { out, redactor: redactor.clone(), before };
    let to_file = fmt::layer().with_ansi(false).with_writer(clean(file, "")).with_filter(level);
    // People read the report; stderr is for what is wrong.
    let to_stderr = fmt::layer().with_ansi(false).with_writer(clean(errors, before));
    let to_stderr = to_stderr.with_filter(level.min(LevelFilter::WARN));
    tracing_subscriber::registry().with(to_file).with(to_stderr).try_init().ok();
    Ok(Logs { _guards: vec![file_guard, errors_guard, stdout_guard], stdout })
}

/// Takes secrets out of each log line, and begins none with what it quotes; `tracing` gives a line as one piece.
#[derive(Clone)]
struct Clean {
    out: NonBlocking,
    redactor: Redactor,
    before: &'static str,
}

impl Write for Clean {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let text = self.redactor.text(&String::from_utf8_lossy(piece)).trim_end().replace('\n', "\n    ");
        self.out.write_all(format!("{}{text}\n", self.before).as_bytes())?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl<'w> MakeWriter<'w> for Clean {
    type Writer = Clean;

    fn make_writer(&'w self) -> Clean {
        self.clone()
    }
}
