use std::convert::Infallible;

use super::super::token::Tokenizer;
use super::super::vector::Sparse;
use super::*;

/// A test whose words are `features`.
fn test(similarity: f32, text: &str, features: &[u32]) -> Choice {
    let words = Sparse::unit(&mut features.to_vec(), |_, _| Ok::<_, Infallible>(Some(1.0))).unwrap();
    let wording = Wording::of(text, &Tokenizer::default().buckets(text));
    let features = Features { wording, blocks: Blocks { trigrams: words.clone(), words } };
    Choice { similarity, features: Arc::new(features) }
}

fn order(pool: &[Choice], before: &[Choice], k: usize, lambda: f32) -> Vec<usize> {
    choose(pool, before, k, lambda).iter().map(|pick| pick.at).collect()
}

#[test]
fn without_likeness_the_rank_decides() {
    let pool = [test(0.9, "a", &[1]), test(0.8, "b", &[2]), test(0.7, "c", &[3])];
    assert_eq!(order(&pool, &[], 2, 0.8), [0, 1]);
    assert_eq!(order(&pool, &[], 9, 0.8), [0, 1, 2]);
    assert_eq!(order(&pool, &[], 0, 0.8), [0; 0]);
    assert_eq!(order(&[], &[], 5, 0.8), [0; 0]);
}

#[test]
fn a_near_duplicate_waits_for_something_else() {
    let pool = [test(0.9, "a", &[1, 2, 3, 4]), test(0.89, "aa", &[1, 2, 3, 4, 5]), test(0.8, "b", &[9])];
    assert_eq!(order(&pool, &[], 3, 0.8), [0, 2, 1]);
    assert_eq!(order(&pool, &[], 3, 1.0), [0, 1, 2], "similarity alone");
}

#[test]
fn what_was_chosen_before_counts_for_the_penalty() {
    let pool = [test(0.9, "a", &[1]), test(0.85, "b", &[2])];
    assert_eq!(order(&pool, &[test(0.0, "named", &[1, 1])], 2, 0.8), [1, 0]);
}

#[test]
fn copies_come_last_whatever_they_score() {
    let pool = [test(0.9, "a", &[1]), test(0.9, "a", &[1]), test(0.9, "a", &[1]), test(0.1, "b", &[2])];
    let picks = choose(&pool, &[], 3, 0.8);
    assert_eq!(picks.iter().map(|pick| (pick.at, pick.copy)).collect::<Vec<_>>(), [(0, false), (3, false), (1, true)]);
    assert_eq!(order(&pool, &[test(0.0, "a", &[1])], 2, 0.8), [3, 0]);
}

#[test]
fn score_and_penalty_are_told() {
    let pool = [test(0.8, "a", &[1]), test(0.4, "b", &[1])];
    let picks = choose(&pool, &[], 2, 0.75);
    assert_eq!(picks[0], Pick { at: 0, score: 0.75, penalty: 0.0, copy: false });
    assert_eq!(picks[1], Pick { at: 1, score: 0.375 - 0.25, penalty: 0.25, copy: false });
}

#[test]
fn ties_go_to_the_better_rank() {
    let pool = [test(0.5, "a", &[1]), test(0.5, "b", &[2]), test(0.5, "c", &[3])];
    assert_eq!(order(&pool, &[], 3, 0.8), [0, 1, 2]);
}
