//! How a run ended and fared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::none;

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    Drained,
    Guard,
    Infrastructure,
    Signal,
    Error,
}

impl Stopped {
    /// There was nothing left to do, or nothing more was allowed. Else a supervisor starts it again, and what was spent
    /// counts on.
    pub fn is_end(self) -> bool {
        matches!(self, Stopped::Drained | Stopped::Guard)
    }
}

/// How the cards of a run fared: moves, refusals and moves that could not be made, each visit of a card once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub struct Counts {
    pub promoted: u32,
    pub bounced: u32,
    pub skipped: u32,
    pub unverified: u32,
    pub failed: u32,
    #[serde(default, skip_serializing_if = "none")]
    pub vetoed: u32,
}
