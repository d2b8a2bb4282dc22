//! What attempts changed, as far as a report shows it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::cycle::state::State;
use crate::journal::AttemptId;
use crate::report::story::Patch;
use crate::storage;

/// Bytes of all patches, and of one of them.
const ALL: u64 = 4 << 20;
const LONGEST: u64 = 64 << 10;

/// The newest first; those for which nothing is left are empty.
pub fn read(state: &State, cache_dir: &Path) -> BTreeMap<AttemptId, Patch> {
    let mut newest_first: Vec<_> = state.attempts.iter().collect();
    newest_first.sort_by_key(|(_, attempt)| Reverse(attempt.started));
    let mut left = ALL;
    let read = |(id, _): (&AttemptId, _)| {
        let file = storage::open(id.folder(cache_dir).join("changes.patch")).ok()?;
        let size = file.metadata().ok()?.len();
        let mut bytes = Vec::new();
        file.take(LONGEST.min(left)).read_to_end(&mut bytes).ok()?;
        left -= bytes.len() as u64;
        Some((id.clone(), Patch::of(&bytes, size)?))
    };
    newest_first.into_iter().filter_map(read).collect()
}
