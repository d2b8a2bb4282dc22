//! Which tests belong to a card: a hashed bag of words, kept in a file, compared by cosine and thinned out by MMR.
//!
//! No model and no download. Measured on eight public sets of cards and tests (requirement → test case, bug report → test,
//! issue → test name) it finds more than BM25 and than a small sentence encoder: `benches/retrieval` shows it and
//! `tests/it/retrieval.rs` keeps the level.

mod both;
mod build;
mod count;
mod frequencies;
mod general;
mod kept;
mod mmr;
mod postings;
mod search;
mod select;
mod store;
mod terms;
mod token;
mod update;
mod vector;
mod wording;

use std::path::Path;

pub use build::build;
pub use select::{Chosen, Limits, Missed, NearMiss, Selection, select};
pub use store::Unusable;

use search::{Reader, Search};
use store::Store;

/// Measured by `benches/retrieval` on boards of 10 to 3,000 tests that are samples of its sets, five tests a card. From .14 to .15 to
/// .16, of the cards that have tests .05, .07, .09 find too few to be worked, and of the cards of another project .07, .04, .03
/// find enough: together the fewest at .15. On eighteen sets that had no say in it they are .13, .14, .16 and .17, .14, .11.
pub const DEFAULT_THRESHOLD: f32 = 0.15;

/// Measured on the same sets: nDCG@10 is .704 by similarity alone and .699 at .92. Tests that are like a relevant one are often
/// relevant themselves; what says the same in other words waits in any case.
pub const DEFAULT_MMR_LAMBDA: f32 = 0.92;

/// A card as similarity reads it.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q> {
    pub title: &'q str,
    /// The whole card, its title included, as [`crate::board::CardContent::body`] has it.
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

    /// What [`build()`] makes of these texts and this hash, byte for byte; in far less time where most texts are those of this
    /// index, in the same order.
    pub fn update(&self, texts: &[impl AsRef<str> + Sync], source_sha256: &str) -> Vec<u8> {
        update::update(&self.reader.store, texts, source_sha256)
    }

    /// The `pool` tests that are most similar to a card, best first, ties by ordinal.
    pub fn rank(&self, query: &Query<'_>, pool: usize) -> Result<Vec<Candidate>, Unusable> {
        let mut search = Search::new(&self.reader, query)?;
        search.best(pool)?.into_iter().map(|hit| search.explain(hit)).collect()
    }
}

#[cfg(test)]
mod tests;
