//! The tests that a card is judged by.

use super::mmr::{Choice, Pick, choose};
use super::search::{Hit, Search};
use super::{Candidate, Index, Query, Unusable};

/// MMR chooses among so many.
const POOL: usize = 50;
/// A pool that copies of a few texts fill is widened, up to so many.
const LARGEST_POOL: usize = 64 * POOL;
/// So many of those that were not chosen are told.
const NEAR_MISSES: usize = 5;

/// What bounds a selection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub k: usize,
    /// The least similarity of a test that nobody named, in [0, 1].
    pub threshold: f32,
    /// 1 is similarity alone; less of it thins out tests that are like one another.
    pub mmr_lambda: f32,
}

/// A selected test.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub ordinal: u32,
    pub similarity: f32,
    /// `lambda * similarity / best similarity - penalty`; 0 for a named test, which is ranked by nothing.
    pub score: f32,
    /// `(1 - lambda) * largest cosine to a test chosen before`; 0 for a named test.
    pub penalty: f32,
    pub named: bool,
    pub words: Vec<String>,
}

/// Why a test that has something of the card was not selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missed {
    BelowThreshold,
    /// A less similar test was chosen in its place, because it is too like those chosen.
    CrowdedOut,
    /// `k` better ones were chosen.
    BeyondK,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    pub candidate: Candidate,
    pub reason: Missed,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// In the order of choice.
    pub chosen: Vec<Chosen>,
    /// The best of the others, best first.
    pub near_misses: Vec<NearMiss>,
}

/// Selects a card's tests: first those `named` (ordinals; all of them, whatever their similarity), then the most similar
/// above the threshold by MMR, up to `k` together.
pub fn select(index: &Index, query: &Query<'_>, named: &[u32], limits: Limits) -> Result<Selection, Unusable> {
    let mut search = Search::new(&index.reader, query)?;
    let mut selection = Selection::default();
    let mut before = Vec::new();
    for &ordinal in named {
        if selection.chosen.iter().any(|test| test.ordinal == ordinal) {
            continue;
        }
        let hit = search.hit(ordinal)?;
        let Candidate { similarity, words, .. } = search.explain(hit)?;
        selection.chosen.push(Chosen { ordinal, similarity, score: 0.0, penalty: 0.0, named: true, words });
        before.push(search.choice(hit)?);
    }
    let limits = Limits { k: limits.k.saturating_sub(before.len()), ..limits };
    let (pool, picks) = pick(&mut search, named, &before, limits)?;
    for pick in &picks {
        let Candidate { ordinal, similarity, words } = search.explain(pool[pick.at])?;
        let Pick { score, penalty, .. } = *pick;
        selection.chosen.push(Chosen { ordinal, similarity, score, penalty, named: false, words });
    }
    let last = picks.iter().map(|pick| pick.at).max();
    let others = pool.iter().enumerate().filter(|(at, _)| picks.iter().all(|pick| pick.at != *at));
    for (at, hit) in others.take(NEAR_MISSES) {
        let reason = if hit.similarity < limits.threshold {
            Missed::BelowThreshold
        } else if last.is_some_and(|last| at < last) {
            Missed::CrowdedOut
        } else {
            Missed::BeyondK
        };
        selection.near_misses.push(NearMiss { candidate: search.explain(*hit)?, reason });
    }
    Ok(selection)
}

/// The pool without the named, best first, and what MMR picks from it.
fn pick(
    search: &mut Search<'_>,
    named: &[u32],
    before: &[Choice],
    limits: Limits,
) -> Result<(Vec<Hit>, Vec<Pick>), Unusable> {
    let mut size = POOL;
    loop {
        let mut pool = search.best(size + named.len())?;
        let exhausted = pool.len() < size || pool.last().is_some_and(|hit| hit.similarity < limits.threshold);
        pool.retain(|hit| !named.contains(&hit.ordinal));
        let able = pool.partition_point(|hit| hit.similarity >= limits.threshold);
        let choices = pool[..able].iter().map(|hit| search.choice(*hit)).collect::<Result<Vec<_>, _>>()?;
        let picks = choose(&choices, before, limits.k, limits.mmr_lambda);
        if exhausted || size >= LARGEST_POOL || !picks.iter().any(|pick| pick.copy) {
            return Ok((pool, picks));
        }
        size *= 4;
    }
}
