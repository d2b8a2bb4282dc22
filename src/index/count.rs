//! Texts → how often each has which words. Linear in the texts, and most of the work of an index.

use super::both::both;
use super::postings::Posting;
use super::token::{TRIGRAM_BUCKETS, Tokenizer, trigrams};
use super::vector::counts;

/// From so many texts on a second thread pays for itself.
const WORTH_A_THREAD: usize = 1000;

/// What was counted in some tests.
pub struct Counted {
    /// Word buckets with a posting, test by test.
    pub words: Vec<(u32, Posting)>,
    /// By trigram bucket: how many of the tests have it.
    pub trigrams: Vec<u32>,
}

impl Counted {
    /// Of these tests, by rising ordinal.
    pub fn of(tests: impl IntoIterator<Item = (u32, impl AsRef<str>)>) -> Counted {
        let mut counted = Counted { words: Vec::new(), trigrams: vec![0; TRIGRAM_BUCKETS] };
        // By trigram: the last test that was counted, and 1.
        let mut last = vec![0; TRIGRAM_BUCKETS];
        let mut tokenizer = Tokenizer::default();
        let mut words = Vec::new();
        for (test, text) in tests {
            words.clear();
            tokenizer.words(text.as_ref(), |word| {
                words.push(word.bucket);
                trigrams(word.text, |trigram| {
                    let trigram = usize::from(trigram);
                    if last[trigram] != test + 1 {
                        last[trigram] = test + 1;
                        counted.trigrams[trigram] += 1;
                    }
                });
            });
            let postings = counts(&mut words).map(|(bucket, count)| (bucket, Posting { test, count: count as u8 }));
            counted.words.extend(postings);
        }
        counted
    }

    /// Of all tests, in two halves: two threads count them, where there can be two.
    pub fn halves(texts: &[impl AsRef<str> + Sync]) -> [Counted; 2] {
        let half = texts.len() / 2;
        let tests = |start: usize| (start as u32..u32::MAX).zip(&texts[start..]);
        let (first, second) = (|| Counted::of(tests(0).take(half)), || Counted::of(tests(half)));
        if texts.len() < WORTH_A_THREAD {
            return [first(), second()];
        }
        both(first, second)
    }
}
