//! Maximal marginal relevance (Carbonell and Goldstein, 1998): each choice weighs how well a test fits the card against how
//! like it is to what is chosen already. Pure.

use std::sync::Arc;

use super::vector::{Blocks, Dense, blend};
use super::wording::Wording;

/// A test, as a thing to choose or as one that is chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// To the card, in [0, 1].
    pub similarity: f32,
    pub features: Arc<Features>,
}

/// What it is compared with other tests by, whatever the card.
#[derive(Debug)]
pub struct Features {
    pub wording: Wording,
    pub blocks: Blocks,
}

/// A choice that was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Its place in the pool.
    pub at: usize,
    /// `lambda * similarity / best similarity - penalty`.
    pub score: f32,
    /// `(1 - lambda) * the largest cosine to what was chosen before`.
    pub penalty: f32,
    /// It says the same as one chosen before: there was nothing else left.
    pub copy: bool,
}

/// How near a test is to those that are chosen.
#[derive(Debug, Clone, Copy, Default)]
struct Nearest {
    /// The largest cosine.
    cosine: f32,
    /// It says the same as one of them.
    copy: bool,
}

/// Chooses up to `k` of `pool` (best first), in the order of choice; `before` was chosen beforehand and counts for the
/// penalty. What says the same as a chosen one waits until nothing else is left. Ties go to the better rank.
pub fn choose(pool: &[Choice], before: &[Choice], k: usize, lambda: f32) -> Vec<Pick> {
    let top = pool.iter().map(|test| test.similarity).fold(f32::MIN_POSITIVE, f32::max);
    let mut left: Vec<(usize, Nearest)> = (0..pool.len()).map(|at| (at, Nearest::default())).collect();
    let mut trigrams = None;
    let mut meet = |left: &mut [(usize, Nearest)], chosen: &Choice| {
        if left.is_empty() {
            return;
        }
        let trigrams = trigrams.get_or_insert_with(Dense::empty);
        let chosen = &chosen.features;
        trigrams.add(1.0, &chosen.blocks.trigrams);
        for (at, nearest) in left {
            let Features { wording, blocks } = &*pool[*at].features;
            let cosine = blend(blocks.words.dot(&chosen.blocks.words), trigrams.dot(&blocks.trigrams));
            nearest.cosine = nearest.cosine.max(cosine);
            nearest.copy |= wording.says_same(&chosen.wording);
        }
        trigrams.clear(&chosen.blocks.trigrams);
    };
    before.iter().for_each(|chosen| meet(&mut left, chosen));
    let mut picks: Vec<Pick> = Vec::new();
    while picks.len() < k {
        if let Some(last) = picks.last() {
            meet(&mut left, &pool[last.at]);
        }
        let pick = |&(at, nearest): &(usize, Nearest)| {
            let penalty = (1.0 - lambda) * nearest.cosine;
            Pick { at, score: lambda * pool[at].similarity / top - penalty, penalty, copy: nearest.copy }
        };
        let first = |a: &Pick, b: &Pick| a.copy.cmp(&b.copy).then(b.score.total_cmp(&a.score)).then(a.at.cmp(&b.at));
        let Some(next) = left.iter().map(pick).min_by(first) else { break };
        left.retain(|(at, _)| *at != next.at);
        picks.push(next);
    }
    picks
}

#[cfg(test)]
mod tests;
