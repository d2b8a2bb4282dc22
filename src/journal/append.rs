//! The journal's writer: one line, on disk before the call returns.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Keep, Record, replay};
use crate::redact::Redactor;
use crate::storage::{Appender, Writer};

/// The journal's file.
pub fn path(cache_dir: &Path) -> PathBuf {
    cache_dir.join("journal.jsonl")
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: Appender,
    redactor: Redactor,
}

impl Journal {
    /// Opens the journal for appending after its last whole line.
    pub fn open(writer: &Writer, cache_dir: &Path, redactor: &Redactor) -> Result<Journal> {
        let path = path(cache_dir);
        let whole = replay::whole_length(&path)?;
        let mut file = writer.append(&path)?;
        file.cut(whole)?;
        Ok(Journal { file, redactor: redactor.clone() })
    }
}

impl Keep for Journal {
    fn keep(&mut self, record: &Record) -> Result<()> {
        let mut line = line(record, &self.redactor)?;
        line.push('\n');
        self.file.append(line.as_bytes())
    }

    fn mend(&mut self) -> Result<bool> {
        self.file.mend()
    }
}

/// A record as one line of JSON without secrets. Redacted text by text, so that it stays JSON.
pub fn line(record: &Record, redactor: &Redactor) -> Result<String> {
    let mut value = serde_json::to_value(record).context("a record can't be written as JSON")?;
    redactor.json(&mut value);
    Ok(value.to_string())
}
