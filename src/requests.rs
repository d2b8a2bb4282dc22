//! What people ask of a board from outside, while a runner may be working: small files in `CACHE_DIR/requests` that the
//! runner journals between attempts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::board::CardId;
use crate::journal::{Event, InputHash};
use crate::storage::{self, Writer, sha256};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Retry {
        card: CardId,
    },
    Skip {
        card: CardId,
    },
    Unskip {
        card: CardId,
    },
    Pause,
    Resume,
    /// The changed gate inputs as the person saw them.
    Accept {
        inputs: Vec<InputHash>,
    },
}

impl Request {
    /// What the journal says of it. `accept` has its own event when it is carried out.
    pub fn event(self) -> Event {
        match self {
            Request::Retry { card } => Event::Retried { card },
            Request::Skip { card } => Event::Held { card },
            Request::Unskip { card } => Event::Released { card },
            Request::Pause => Event::Paused,
            Request::Resume => Event::Resumed,
            Request::Accept { .. } => Event::Warning { text: "the gate inputs are accepted".into() },
        }
    }
}

/// Leaves a request for the runner, or for the next run.
pub fn leave(writer: &Writer, cache_dir: &Path, request: &Request, now: jiff::Timestamp) -> Result<()> {
    let folder = folder(cache_dir);
    writer.folder(&folder)?;
    let json = serde_json::to_vec(request)?;
    // Names sort by time, so that a later request wins over an earlier one.
    let name = format!("{:020}-{}.json", now.as_nanosecond(), &sha256(&json)[..8]);
    writer.replace(&folder.join(name), &json)
}

/// Where requests wait.
pub fn folder(cache_dir: &Path) -> PathBuf {
    cache_dir.join("requests")
}

/// The requests that wait, oldest first, with their files. What is no request is left alone.
pub fn pending(cache_dir: &Path) -> Vec<(PathBuf, Request)> {
    let Ok(entries) = fs::read_dir(folder(cache_dir)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let read = |path: PathBuf| Some((path.clone(), serde_json::from_slice(&storage::read(&path).ok()?).ok()?));
    files.into_iter().filter_map(read).collect()
}
