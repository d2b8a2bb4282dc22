//! Hears that files change, so that a watcher need not wait for its next look.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Open ears. Where the system can't tell (a network file system, no watches left) nothing is heard, and the looks at their
/// interval are what there is.
#[derive(Debug, Default)]
pub struct Changes {
    _watcher: Option<RecommendedWatcher>,
    heard: Arc<Notify>,
}

impl Changes {
    /// Of these files, which need not be there yet, and of all that is in these folders.
    pub fn of(paths: Vec<PathBuf>) -> Changes {
        let heard = Arc::<Notify>::default();
        let watcher = watcher(paths, heard.clone());
        if let Err(error) = &watcher {
            tracing::info!("changes are seen at the next look alone: {error}");
        }
        Changes { _watcher: watcher.ok(), heard }
    }

    /// Until something changed since the last call.
    pub async fn heard(&self) {
        self.heard.notified().await;
    }
}

fn watcher(paths: Vec<PathBuf>, heard: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    // A file that is replaced is another one: its folder tells.
    let place = |path: &Path| match path.is_dir() {
        true => Some((path.to_owned(), RecursiveMode::Recursive)),
        false => Some((path.parent()?.to_owned(), RecursiveMode::NonRecursive)),
    };
    let places: BTreeMap<PathBuf, RecursiveMode> = paths.iter().rev().filter_map(|path| place(path)).collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // That a file is read is no change; the watcher reads them itself.
        let changed = |event: Event| {
            !matches!(event.kind, EventKind::Access(_))
                && event.paths.iter().any(|changed| paths.iter().any(|path| changed.starts_with(path)))
        };
        // Where the system lost some, one may have been.
        if event.map_or(true, changed) {
            heard.notify_one();
        }
    })?;
    for (place, mode) in places {
        watcher.watch(&place, mode)?;
    }
    Ok(watcher)
}
