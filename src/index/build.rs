//! Texts → the bytes of an index. Pure, and linear in the texts.

use super::postings;
use super::store::{TEXT_END, pack};
use super::token::{TRIGRAM_BUCKETS, Tokenizer, WORD_BITS, trigrams};
use super::vector::{counts, idf, idf_code, test_weight, weight_code};

/// One word of one test.
#[derive(Debug, Clone, Copy, Default)]
struct Posting {
    bucket: u32,
    test: u32,
    weight: f32,
}

/// The bytes of an index of these texts; a text's place is its test's ordinal. `source_sha256` is of the tests file, and
/// tells later whether the index is still of that file.
pub fn build(texts: &[impl AsRef<str>], source_sha256: &str) -> Vec<u8> {
    let tests = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    let mut frequencies = Frequencies::default();
    let mut postings = count(texts, &mut frequencies);
    weigh(&mut postings, tests, &frequencies.words);
    let sorted = by_bucket(&postings, &frequencies.words);
    drop(postings);
    let (slot_bits, slots, terms, postings) = pack_postings(&sorted, &frequencies.words);
    drop(sorted);
    let code = |&frequency: &u32| if frequency == 0 { 0 } else { idf_code(idf(tests, frequency)) };
    let trigram_idf = frequencies.trigrams.iter().map(code).collect();
    let (ends, texts) = pack_texts(texts);
    pack([tests, slot_bits], [source_sha256.as_bytes().to_vec(), trigram_idf, slots, terms, postings, ends, texts])
}

/// By bucket: how many tests have it.
struct Frequencies {
    words: Vec<u32>,
    trigrams: Vec<u32>,
    /// By trigram: the last test that was counted, and 1.
    last: Vec<u32>,
}

impl Default for Frequencies {
    fn default() -> Frequencies {
        Frequencies {
            words: vec![0; 1 << WORD_BITS],
            trigrams: vec![0; TRIGRAM_BUCKETS],
            last: vec![0; TRIGRAM_BUCKETS],
        }
    }
}

/// Each test's words, test by test; the weights are plain counts as yet.
fn count(texts: &[impl AsRef<str>], frequencies: &mut Frequencies) -> Vec<Posting> {
    let mut tokenizer = Tokenizer::default();
    let mut postings = Vec::new();
    let mut words = Vec::new();
    for (test, text) in (0..u32::MAX).zip(texts) {
        words.clear();
        tokenizer.words(text.as_ref(), |word| {
            words.push(word.bucket);
            trigrams(word.text, |trigram| {
                let trigram = usize::from(trigram);
                if frequencies.last[trigram] != test + 1 {
                    frequencies.last[trigram] = test + 1;
                    frequencies.trigrams[trigram] += 1;
                }
            });
        });
        for (bucket, count) in counts(&mut words) {
            frequencies.words[bucket as usize] += 1;
            postings.push(Posting { bucket, test, weight: count });
        }
    }
    postings
}

/// Counts become weights, of length 1 for each test.
fn weigh(postings: &mut [Posting], tests: u32, frequencies: &[u32]) {
    for test in postings.chunk_by_mut(|a, b| a.test == b.test) {
        let mut squares = 0.0;
        for posting in test.iter_mut() {
            posting.weight = test_weight(posting.weight, idf(tests, frequencies[posting.bucket as usize]));
            squares += posting.weight * posting.weight;
        }
        let length = squares.sqrt();
        test.iter_mut().for_each(|posting| posting.weight /= length);
    }
}

/// A counting sort: the tests of a bucket stay in their order.
fn by_bucket(postings: &[Posting], frequencies: &[u32]) -> Vec<Posting> {
    let mut next = Vec::with_capacity(frequencies.len());
    let mut start = 0;
    for &frequency in frequencies {
        next.push(start);
        start += frequency as usize;
    }
    let mut sorted = vec![Posting::default(); postings.len()];
    for posting in postings {
        let place = &mut next[posting.bucket as usize];
        sorted[*place] = *posting;
        *place += 1;
    }
    sorted
}

/// Slots, terms and postings, as the store describes them. There are about as many slots as terms.
fn pack_postings(sorted: &[Posting], frequencies: &[u32]) -> (u32, Vec<u8>, Vec<u8>, Vec<u8>) {
    let distinct = frequencies.iter().filter(|frequency| **frequency > 0).count();
    let slot_bits = distinct.next_power_of_two().ilog2().min(WORD_BITS);
    let (mut slots, mut terms, mut out) = (Vec::new(), Vec::new(), Vec::with_capacity(3 * sorted.len()));
    let (mut slot, mut run) = (0, Vec::new());
    for (place, term) in (0_u32..).zip(sorted.chunk_by(|a, b| a.bucket == b.bucket)) {
        let bucket = term[0].bucket;
        while slot <= bucket >> (WORD_BITS - slot_bits) {
            slots.extend(place.to_le_bytes());
            slot += 1;
        }
        run.clear();
        run.extend(term.iter().map(|posting| (posting.test, weight_code(posting.weight))));
        postings::encode(&run, &mut out);
        terms.extend(bucket.to_le_bytes());
        terms.extend((term.len() as u32).to_le_bytes());
        terms.extend((out.len() as u64).to_le_bytes());
    }
    while slot <= 1 << slot_bits {
        slots.extend((distinct as u32).to_le_bytes());
        slot += 1;
    }
    (slot_bits, slots, terms, out)
}

fn pack_texts(texts: &[impl AsRef<str>]) -> (Vec<u8>, Vec<u8>) {
    let (mut ends, mut bytes) = (Vec::with_capacity(TEXT_END * texts.len()), Vec::new());
    for text in texts {
        bytes.extend(text.as_ref().as_bytes());
        ends.extend(&(bytes.len() as u64).to_le_bytes()[..TEXT_END]);
    }
    (ends, bytes)
}
