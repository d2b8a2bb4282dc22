//! Maximal marginal relevance (Carbonell and Goldstein, 1998): each choice weighs how well a test fits the card against how
//! like it is to what is chosen already. Pure.

use super::vector::Blocks;

/// From this cosine on two tests say the same to the index. Such a test waits until nothing else is left.
const SAME: f32 = 0.999;

/// What there is to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    /// To the card, in [0, 1].
    pub similarity: f32,
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

/// Chooses up to `k` of `pool` (best first), in the order of choice; `before` was chosen beforehand and counts for the
/// penalty. Ties go to the better rank.
pub fn choose(pool: &[Choice], before: &[Blocks], k: usize, lambda: f32) -> Vec<Pick> {
    let top = pool.iter().map(|choice| choice.similarity).fold(f32::MIN_POSITIVE, f32::max);
    let nearest = |choice: &Choice| before.iter().map(|other| choice.blocks.cosine(other)).fold(0.0, f32::max);
    let mut nearest: Vec<f32> = pool.iter().map(nearest).collect();
    let mut left: Vec<usize> = (0..pool.len()).collect();
    let mut picks = Vec::new();
    while picks.len() < k && !left.is_empty() {
        let pick = |&at: &usize| {
            let penalty = (1.0 - lambda) * nearest[at];
            let score = lambda * pool[at].similarity / top - penalty;
            Pick { at, score, penalty, copy: nearest[at] >= SAME }
        };
        let first = |a: &Pick, b: &Pick| a.copy.cmp(&b.copy).then(b.score.total_cmp(&a.score)).then(a.at.cmp(&b.at));
        let Some(next) = left.iter().map(pick).min_by(first) else { break };
        left.retain(|at| *at != next.at);
        for &at in &left {
            nearest[at] = nearest[at].max(pool[at].blocks.cosine(&pool[next.at].blocks));
        }
        picks.push(next);
    }
    picks
}
