//! Reading the journal back. A torn last line is dropped; a damaged line elsewhere is told and the rest is used.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Record, VERSION, append};
use crate::failure::Failure;
use crate::storage;

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub struct Replayed {
    pub records: Vec<Record>,
    /// 1-based numbers of lines that could not be read.
    pub damaged: Vec<usize>,
}

/// Reads the journal of `cache_dir`; one that is not there is empty. A journal of a newer program is refused.
pub fn read(cache_dir: &Path) -> Result<Replayed, Failure> {
    let mut records = Vec::new();
    let damaged = fold(cache_dir, |record| records.push(record))?;
    Ok(Replayed { records, damaged })
}

/// The same record by record, and the damaged lines. A long journal is not held as a whole.
pub fn fold(cache_dir: &Path, each: impl FnMut(Record)) -> Result<Vec<usize>, Failure> {
    let path = append::path(cache_dir);
    open(&path)?.map_or_else(|| Ok(Vec::new()), |file| fold_lines(file, &path, each))
}

/// Reads a journal's bytes; `path` is its name in errors.
pub fn replay(file: impl BufRead, path: &Path) -> Result<Replayed, Failure> {
    let mut records = Vec::new();
    let damaged = fold_lines(file, path, |record| records.push(record))?;
    Ok(Replayed { records, damaged })
}

fn fold_lines(mut file: impl BufRead, path: &Path, mut each: impl FnMut(Record)) -> Result<Vec<usize>, Failure> {
    let (mut damaged, mut line) = (Vec::new(), Vec::new());
    for number in 1.. {
        line.clear();
        let size = file.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        if size == 0 || line.last() != Some(&b'\n') {
            break;
        }
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if record.v <= VERSION => each(record),
            other => match newer(&line, other.err()) {
                Some(what) => {
                    let text = format!("{}:{number}: written by a newer kanban-codex-exec ({what})", path.display());
                    return Err(Failure::usage(text).hint("use that version, or another --cache-dir"));
                }
                None => damaged.push(number),
            },
        }
    }
    Ok(damaged)
}

/// How long after a record's time its line may reach the file.
const LATE: Duration = Duration::from_secs(1);

/// Whether somebody wrote into the journal after its last record: what it says of an attempt that it left open is then no
/// witness for what that attempt did.
pub fn written_later(cache_dir: &Path, last: Option<Timestamp>) -> bool {
    let (Some(last), Ok(data)) = (last, std::fs::metadata(append::path(cache_dir))) else { return false };
    let changed = Timestamp::new(data.ctime(), data.ctime_nsec() as i32).unwrap_or_default();
    last.checked_add(LATE).is_ok_and(|latest| changed > latest)
}

#[derive(Deserialize)]
struct Head {
    v: u32,
    #[serde(rename = "at")]
    _at: Option<Timestamp>,
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

/// So many bytes at once.
const PIECE: u64 = 64 << 10;

/// Bytes up to the end of the last whole line.
pub fn whole_length(path: &Path) -> Result<u64> {
    let Some(file) = open(path)? else { return Ok(0) };
    let mut file = file.into_inner();
    last_line_end(&mut file).with_context(|| format!("cannot read {}", path.display()))
}

/// Looked for from the end: a journal is long, and its torn last line is not.
fn last_line_end(file: &mut (impl Read + Seek)) -> std::io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        file.by_ref().take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn open(path: &Path) -> Result<Option<BufReader<File>>> {
    match storage::open(path) {
        Ok(file) => Ok(Some(BufReader::new(file))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let wrong =
                matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidInput);
            let failure = Failure::from(Error::new(error).context(format!("cannot read {}", path.display())));
            let hint = "move what stands there away, or name another --cache-dir; without its journal each card begins anew where it stands";
            Err(Error::msg(if wrong { failure.hint(hint) } else { failure }))
        }
    }
}
