//! Which tests belong to a card: a hashed bag of words, kept in a file, compared by cosine and thinned out by MMR.
//!
//! No model and no download. Measured on eight public sets of cards and tests (requirement → test case, bug report → test,
//! issue → test name) it finds more than BM25 and than a small sentence encoder: `tests/it/retrieval.rs` keeps the level.

mod build;
mod mmr;
mod search;
mod select;
mod store;
mod token;
mod vector;

use std::path::Path;

pub use build::build;
pub use select::{Chosen, Limits, Missed, NearMiss, Selection, select};
pub use store::Unusable;

use search::{Reader, Search};
use store::Store;

/// Measured on the eight sets of `tests/it/retrieval.rs`, five tests a card. From .10 to .15 to .20 the share of relevant tests
/// that are selected is .582, .573, .552, the share of cards that find at least three tests 1.00, .99, .87, and the share of
/// cards of another project that find three here .86, .71, .41: .15 is where unrelated cards start to be turned away at
/// almost no cost to those that belong.
pub const DEFAULT_THRESHOLD: f32 = 0.15;

/// Measured on the same sets: nDCG@10 is .701 at 1 (similarity alone), .699 at .95, .696 at .92, .693 at .9, .689 at .85 and .683
/// at .8. Tests that are like a relevant one are often relevant themselves; .92 costs less than 1 %.
pub const DEFAULT_MMR_LAMBDA: f32 = 0.92;

/// A card as similarity reads it.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q> {
    pub title: &'q str,
    /// The whole card, its title included, as [`crate::board::Card::body`] has it.
    pub body: &'q str,
}

/// A test that has something of the card.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The test's place in the tests file, from 0.
    pub ordinal: u32,
    /// Cosine, in [0, 1].
    pub similarity: f32,
    /// The card's words that the test has as well, strongest first, at most eight.
    pub words: Vec<String>,
}

/// An index of tests, open for questions.
#[derive(Debug)]
pub struct Index {
    reader: Reader,
}

impl Index {
    /// Opens an index file. It is read in place, a few KiB for each card.
    pub fn open(path: &Path) -> Result<Index, Unusable> {
        Ok(Index { reader: Reader::new(Store::open(path)?)? })
    }

    /// An index that is in no file, for those who may not write.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Index, Unusable> {
        Ok(Index { reader: Reader::new(Store::from_bytes(bytes)?)? })
    }

    /// Of the tests file that was indexed.
    pub fn source_sha256(&self) -> &str {
        &self.reader.source_sha256
    }

    pub fn len(&self) -> usize {
        self.reader.tests as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `pool` tests that are most similar to a card, best first, ties by ordinal.
    pub fn rank(&self, query: &Query<'_>, pool: usize) -> Result<Vec<Candidate>, Unusable> {
        let mut search = Search::new(&self.reader, query)?;
        search.best(pool)?.into_iter().map(|hit| search.explain(hit)).collect()
    }
}

#[cfg(test)]
mod tests;
