//! Reading the journal back. A torn last line is dropped; a damaged line elsewhere is told and the rest is used.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Record, VERSION, append};
use crate::failure::Failure;

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub struct Replayed {
    pub records: Vec<Record>,
    /// 1-based numbers of lines that could not be read.
    pub damaged: Vec<usize>,
}

/// Reads the journal of `cache_dir`; one that is not there is empty. A journal of a newer program is refused.
pub fn read(cache_dir: &Path) -> Result<Replayed, Failure> {
    let path = append::path(cache_dir);
    open(&path)?.map_or_else(|| Ok(Replayed::default()), |file| replay(file, &path))
}

/// Reads a journal's bytes; `path` is its name in errors.
pub fn replay(mut file: impl BufRead, path: &Path) -> Result<Replayed, Failure> {
    let mut replayed = Replayed::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let size = file.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        if size == 0 || line.last() != Some(&b'\n') {
            break;
        }
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if record.v <= VERSION => replayed.records.push(record),
            other => match newer(&line, other.err()) {
                Some(what) => {
                    let text = format!("{}:{number}: written by a newer kanban-codex-exec ({what})", path.display());
                    return Err(Failure::usage(text).hint("use that version, or another --cache-dir"));
                }
                None => replayed.damaged.push(number),
            },
        }
    }
    Ok(replayed)
}

/// How long after a record's time its line may reach the file.
const LATE: Duration = Duration::from_secs(1);

/// Whether somebody wrote into the journal after its last record: what it says of an attempt that it left open is then no
/// witness for what that attempt did.
pub fn written_later(cache_dir: &Path, records: &[Record]) -> bool {
    let (Some(last), Ok(data)) = (records.last(), std::fs::metadata(append::path(cache_dir))) else { return false };
    let changed = jiff::Timestamp::new(data.ctime(), data.ctime_nsec() as i32).unwrap_or_default();
    last.at.checked_add(LATE).is_ok_and(|latest| changed > latest)
}

#[derive(Deserialize)]
struct Head {
    v: u32,
    #[serde(rename = "at")]
    _at: Option<jiff::Timestamp>,
    event: Option<String>,
}

/// What a newer program's record has that this one does not know. An event that is not known may be the one that says of
/// work that it no longer counts: passed over, it would be damage that nobody sees.
fn newer(line: &[u8], error: Option<serde_json::Error>) -> Option<String> {
    let Head { v, event, _at: at } = serde_json::from_slice(line).ok()?;
    match event {
        _ if v > VERSION => Some(format!("records of version {v}")),
        Some(event) if at.is_some() && error?.to_string().starts_with("unknown variant") => {
            Some(format!("the event `{event}`"))
        }
        _ => None,
    }
}

/// Bytes up to the end of the last whole line.
pub fn whole_length(path: &Path) -> Result<u64> {
    let Some(mut file) = open(path)? else { return Ok(0) };
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let size = file.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        if size == 0 || line.last() != Some(&b'\n') {
            return Ok(whole);
        }
        whole += size as u64;
    }
}

fn open(path: &Path) -> Result<Option<BufReader<File>>> {
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
