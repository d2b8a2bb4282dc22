//! What a card's attempts did, privately witnessed: trees before and after, and the change set that follows from them.
//!
//! ```text
//!  walk ─► tree before ─► (attempt) ─► tree after ─► changes ─► ChangeSet ─► checks::judge
//! ```
//! Trees are git's, in an object folder in CACHE_DIR: the user's repository only lends its objects. What there is few of is
//! written and read here, as git does it; git is asked for the rest.

mod artifacts;
mod aside;
mod back;
mod changes;
mod dirty;
mod git;
mod id;
mod ignored;
mod listing;
mod memory;
mod objects;
mod path;
mod repository;
mod saved;
mod spread;
mod trees;
mod walk;

pub use artifacts::{Artifact, artifacts, artifacts_unchanged};
pub use aside::Aside;
pub use back::{Deed, deeds};
pub use changes::{ChangeSet, ChangedFile, Content, FileChange, Version};
pub use git::TreeId;
pub use id::Id;
pub use ignored::{IgnoreRules, ignores_all, seen_from};
pub use path::TreePath;
pub use saved::{Blob, Change, Forged, Gone, Lost, SavedTrees, Span, Work};
pub use trees::{Snapshot, Trees};
pub use walk::Skipped;

/// What a test string is judged against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Codex's final message, never its log.
    pub message: String,
    /// What codex was given: a line of it that comes back in the message is no evidence.
    pub prompt: String,
    pub changes: ChangeSet,
    /// What the last attempt made that is in no tree, and so in no change set.
    pub left_out: Vec<Skipped>,
}
