//! `logs`: what codex printed in an attempt, to its end with `--follow`. It reads the attempt's folder, and nothing else.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use super::chronicle::Chronicle;
use super::{holder, say, show};
use crate::cycle::state::{Attempt, Phase};
use crate::failure::Failure;
use crate::journal::{AttemptId, append};
use crate::report::clean;
use crate::report::logs::{Logs, Printed, foot, head, stderr, stdout as stdout_line};
use crate::settings::{Format, Settings};
use crate::storage;

/// How often a running attempt is looked at.
const MOMENT: Duration = Duration::from_millis(200);

pub fn logs(name: &str, follow: bool, settings: &Settings) -> Result<u8, Failure> {
    let chronicle = Chronicle::open(settings)?;
    let (id, attempt) = chronicle.attempt(name)?;
    let folder = id.folder(&chronicle.journaled.cache_dir);
    if !folder.is_dir() {
        let failure = Failure::usage(format!("what {id} printed is no longer kept"));
        return Err(failure.hint("`keepAttempts` says of how many attempts a card's folders are kept"));
    }
    let mut printed = Stream::new(folder.join("events.jsonl"));
    let mut errors = Stream::new(folder.join("stderr.log"));
    let human = settings.format == Format::Human;
    let mut attempt = attempt.clone();
    let told = |text: &str| say(&clean(settings.env.redactor(), text));
    if human && !told(&head(id, &attempt))? {
        return Ok(0);
    }
    let mut watched = Watched::new(&chronicle.journaled.cache_dir);
    let (mut out, mut err) = (Vec::new(), String::new());
    loop {
        // Looked at before what it prints is read: what it printed last is not missed.
        let over = !follow || !running(id, &mut attempt, &mut watched, settings)?;
        for (stream, is_stdout) in [(&mut printed, true), (&mut errors, false)] {
            for line in stream.lines(over)? {
                let text = if is_stdout { stdout_line(&line) } else { stderr(&line) };
                match (human, is_stdout) {
                    (true, _) if !told(&text)? => return Ok(0),
                    (true, _) => {}
                    (false, true) => out.push(Printed::line(&line)),
                    (false, false) => err.push_str(&(line + "\n")),
                }
            }
        }
        if over {
            break;
        }
        std::thread::sleep(MOMENT);
    }
    if human {
        told(&foot(&attempt))?;
        return Ok(0);
    }
    let reason = attempt.verdict.map_or_else(|| attempt.unjudged(), |_| attempt.reason.clone());
    let logs = Logs {
        version: 1,
        attempt: id.clone(),
        card: attempt.card,
        title: attempt.title,
        column: attempt.column,
        started: attempt.started,
        ending: Some(attempt.ending).filter(|_| attempt.phase != Phase::Running),
        verdict: attempt.verdict,
        reason,
        stdout: out,
        stderr: err,
    };
    show(settings, &logs, "")?;
    Ok(0)
}

/// A journal that is read again when it has grown.
struct Watched {
    journal: PathBuf,
    length: u64,
}

impl Watched {
    fn new(cache_dir: &Path) -> Watched {
        Watched { journal: append::path(cache_dir), length: 0 }
    }

    fn has_grown(&mut self) -> bool {
        let length = fs::metadata(&self.journal).map_or(0, |data| data.len());
        std::mem::replace(&mut self.length, length) != length
    }
}

/// Whether the attempt has more to say: until its verdict, or while its runner lives.
fn running(id: &AttemptId, attempt: &mut Attempt, watched: &mut Watched, settings: &Settings) -> Result<bool, Failure> {
    if watched.has_grown() {
        let chronicle: Chronicle = Chronicle::read(settings)?;
        if let Some(now) = chronicle.journaled.state.attempt(id) {
            attempt.clone_from(now);
        }
        return Ok(chronicle.at_work() && attempt.phase != Phase::Closed && attempt.verdict.is_none());
    }
    Ok(holder(settings)?.is_some_and(|held| held.is_of_board()))
}

/// A file that grows, read line by line.
struct Stream {
    path: PathBuf,
    at: u64,
    /// A line that is not complete yet.
    rest: Vec<u8>,
}

impl Stream {
    fn new(path: PathBuf) -> Stream {
        Stream { path, at: 0, rest: Vec::new() }
    }

    /// What came since; at the end also a last line that lacks its end. A file that is not there yet is empty.
    fn lines(&mut self, end: bool) -> Result<Vec<String>, Failure> {
        if let Ok(mut file) = storage::open(&self.path) {
            file.seek(SeekFrom::Start(self.at))
                .and_then(|_| file.read_to_end(&mut self.rest))
                .map(|read| self.at += read as u64)
                .with_context(|| format!("cannot read {}", self.path.display()))?;
        }
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole = if end { self.rest.len() } else { whole };
        let rest = self.rest.split_off(whole);
        let complete = std::mem::replace(&mut self.rest, rest);
        Ok(String::from_utf8_lossy(&complete).lines().map(str::to_owned).collect())
    }
}
