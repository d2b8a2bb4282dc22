//! What is measured of a ranking: the usual measures, for links that are there or not.

use std::collections::HashSet;

pub fn average_precision(ranking: &[u32], relevant: &HashSet<u32>) -> f64 {
    let mut hits = 0.0;
    let mut sum = 0.0;
    for (rank, ordinal) in (1..).map(f64::from).zip(ranking) {
        if relevant.contains(ordinal) {
            hits += 1.0;
            sum += hits / rank;
        }
    }
    sum / relevant.len() as f64
}

/// Of the first ten.
pub fn ndcg(ranking: &[u32], relevant: &HashSet<u32>) -> f64 {
    let gain = |rank: u32| 1.0 / f64::from(rank + 1).log2();
    let ranks = (1..=10).zip(ranking);
    let found: f64 = ranks.filter(|(_, test)| relevant.contains(test)).map(|(rank, _)| gain(rank)).sum();
    found / (1..=relevant.len().min(10) as u32).map(gain).sum::<f64>()
}

pub fn recall(ranking: &[u32], relevant: &HashSet<u32>, k: usize) -> f64 {
    ranking.iter().take(k).filter(|test| relevant.contains(test)).count() as f64 / relevant.len() as f64
}

pub fn reciprocal_rank(ranking: &[u32], relevant: &HashSet<u32>) -> f64 {
    ranking.iter().position(|test| relevant.contains(test)).map_or(0.0, |at| 1.0 / (at + 1) as f64)
}
