//! One card against all tests: exact by words, then the best again with their trigrams.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::both::both;
use super::frequencies;
use super::general::is_general;
use super::mmr::{Choice, Features};
use super::postings::{Postings, Scores, WINDOW};
use super::store::{Fields, Piece, Section, Store, TEXT_END, Unusable};
use super::terms::{Entry, TERM, entries};
use super::token::{Tokenizer, WORD_BITS, Word, short_numbers, trigrams};
use super::vector::{
    Blocks, Dense, FEEDBACK_SHARE, Sparse, TITLE_SHARE, TRIGRAM_SHARE, card_weight, counts, idf, of_length_code, own,
    similarity, test_weight, trust,
};
use super::wording::Wording;
use super::{Candidate, Query};

/// So many of the best by words get their trigrams compared; an index of no more tests is compared as a whole.
const SECOND_STAGE: usize = 100;
/// So many of the best tests tell what else the card may be about.
const FEEDBACK_TESTS: usize = 2;
/// So many of them tell what kind of words the match rests on.
const TRUSTED_TESTS: usize = 5;
/// So many matched words are named.
const WORDS_SHOWN: usize = 8;

/// From so many windows on a second thread pays for itself.
const SHARED_WINDOWS: usize = 4;

/// So many scores are passed over at once.
const STRIDE: usize = 64;

/// Reads an index's parts.
#[derive(Debug)]
pub struct Reader {
    pub store: Store,
    pub source_sha256: String,
    pub tests: u32,
    slot_bits: u32,
    /// How many tests have each, as [`frequencies`] has it.
    trigrams: Piece<'static>,
    /// Of the tests' lengths, read with the first card.
    lengths: OnceLock<Piece<'static>>,
    tokenizer: Mutex<Tokenizer>,
    /// By bucket, what was looked up: None where no test has the word.
    terms: Mutex<HashMap<u32, Option<Arc<Term>>>>,
    looked_at: Mutex<HashMap<u32, Arc<Looked>>>,
    /// All zero, to be used again.
    scores: Mutex<Vec<Box<Scores>>>,
}

/// A test as the second stage and MMR see it.
#[derive(Debug)]
struct Looked {
    text: String,
    /// Buckets, in the text's order.
    words: Vec<u32>,
    trigrams: Sparse,
    /// Those that are too short to count as words.
    numbers: Vec<String>,
    /// As MMR compares it: few tests come so far.
    features: OnceLock<Arc<Features>>,
}

/// So many tests are remembered: a card is asked about several times, and its neighbours have much the same tests.
const REMEMBERED: usize = 16384;

/// A word that some test has.
#[derive(Debug)]
struct Term {
    idf: f32,
    bytes: Range<u64>,
    postings: OnceLock<Postings>,
}

impl Reader {
    pub fn new(store: Store) -> Result<Reader, Unusable> {
        let [tests, slot_bits] = store.numbers;
        let whole = |section| store.read(section, 0..store.section_len(section));
        let source_sha256 = text_of(&whole(Section::Source)?)?;
        let trigrams = whole(Section::Trigrams)?.detached();
        let sound = slot_bits <= WORD_BITS
            && frequencies::fit(&trigrams)
            && store.section_len(Section::Slots) == 4 * ((1 << slot_bits) + 1)
            && store.section_len(Section::Lengths) == u64::from(tests)
            && store.section_len(Section::TextEnds) == TEXT_END as u64 * u64::from(tests);
        if !sound {
            return Err(Unusable::new("its sections do not fit together"));
        }
        let (lengths, tokenizer, terms, looked_at, scores) = Default::default();
        Ok(Reader { store, source_sha256, tests, slot_bits, trigrams, lengths, tokenizer, terms, looked_at, scores })
    }

    fn term(&self, bucket: u32) -> Result<Option<Arc<Term>>, Unusable> {
        let mut known = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(term) = known.get(&bucket) {
            return Ok(term.clone());
        }
        let term = self.find(bucket)?.map(Arc::new);
        known.insert(bucket, term.clone());
        Ok(term)
    }

    fn find(&self, bucket: u32) -> Result<Option<Term>, Unusable> {
        let slot = u64::from(bucket >> (WORD_BITS - self.slot_bits));
        let bytes = self.store.read(Section::Slots, 4 * slot..4 * slot + 8)?;
        let mut fields = Fields(&bytes);
        let (Some(first), Some(past)) = (fields.u32(), fields.u32()) else { return Ok(None) };
        // The term before the first says where the first one's postings start.
        let before = u64::from(first.saturating_sub(1));
        let terms = self.store.read(Section::Terms, TERM as u64 * before..TERM as u64 * u64::from(past.max(first)))?;
        let found = entries(&terms).find(|term| term.bucket == bucket);
        Ok(found.map(|Entry { frequency, bytes, .. }| {
            let idf = idf(self.tests, frequency);
            Term { idf, bytes, postings: OnceLock::new() }
        }))
    }

    fn postings<'t>(&self, term: &'t Term) -> Result<&'t Postings, Unusable> {
        if let Some(known) = term.postings.get() {
            return Ok(known);
        }
        let bytes = self.store.read(Section::Postings, term.bytes.clone())?;
        let postings = Postings::new(bytes.detached(), self.tests);
        let postings = postings.ok_or_else(|| Unusable::new("postings point to no test"))?;
        Ok(term.postings.get_or_init(|| postings))
    }

    /// By test, as codes.
    fn lengths(&self) -> Result<&[u8], Unusable> {
        if let Some(known) = self.lengths.get() {
            return Ok(known);
        }
        let codes = self.store.read(Section::Lengths, 0..u64::from(self.tests))?.detached();
        Ok(self.lengths.get_or_init(|| codes))
    }

    /// None where no test has it.
    fn trigram_idf(&self, bucket: u32) -> Option<f32> {
        let frequency = frequencies::frequency(&self.trigrams, bucket as u16);
        (frequency > 0).then(|| idf(self.tests, frequency))
    }

    fn look(&self, ordinal: u32) -> Result<Arc<Looked>, Unusable> {
        let mut remembered = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered.get(&ordinal) {
            return Ok(known.clone());
        }
        let text = self.text(ordinal)?;
        let (mut words, mut letters) = (Vec::new(), Vec::new());
        self.words(&text, |word| {
            words.push(word.bucket);
            trigrams(word.text, |trigram| letters.push(u32::from(trigram)));
        });
        let weigh = |bucket, count| Ok(self.trigram_idf(bucket).map(|idf| test_weight(count, idf)));
        let trigrams = Sparse::unit(&mut letters, weigh)?;
        let numbers = short_numbers(&text).map(str::to_owned).collect();
        let looked = Arc::new(Looked { text, words, trigrams, numbers, features: OnceLock::new() });
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(ordinal, looked.clone());
        Ok(looked)
    }

    fn features(&self, ordinal: u32) -> Result<Arc<Features>, Unusable> {
        let test = self.look(ordinal)?;
        if let Some(known) = test.features.get() {
            return Ok(known.clone());
        }
        let words = Sparse::unit(&mut test.words.clone(), |bucket, count| {
            let idf = self.term(bucket)?.map_or(0.0, |term| term.idf);
            Ok::<_, Unusable>(Some(test_weight(count, idf)))
        })?;
        let blocks = Blocks { words, trigrams: test.trigrams.clone() };
        let features = Arc::new(Features { wording: Wording::of(&test.text, &test.words), blocks });
        Ok(test.features.get_or_init(|| features).clone())
    }

    fn words(&self, text: &str, each: impl FnMut(Word<'_>)) {
        self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner).words(text, each);
    }

    /// What similarity reads of a test.
    fn text(&self, ordinal: u32) -> Result<String, Unusable> {
        let size = TEXT_END as u64;
        let at = size * u64::from(ordinal);
        let bytes = self.store.read(Section::TextEnds, at.saturating_sub(size)..at + size)?;
        let mut fields = Fields(&bytes);
        let start = if ordinal == 0 { Some(0) } else { fields.text_end() };
        let (Some(start), Some(end)) = (start, fields.text_end()) else {
            return Err(Unusable::new(format_args!("it has no test {ordinal}")));
        };
        text_of(&self.store.read(Section::Texts, start..end)?)
    }
}

fn text_of(bytes: &[u8]) -> Result<String, Unusable> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(Unusable::new)
}

/// A card's words, weighed.
struct CardWord {
    text: String,
    idf: f32,
    weight: f32,
}

/// A test and how similar it is to the card, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    pub ordinal: u32,
    pub similarity: f32,
    /// Short numbers that the card has as well. They are no words, but tell `step 7` from `step 8`.
    numbers: u32,
}

impl Hit {
    /// Best first; of equals the one with more of the card's numbers, then by ordinal.
    fn by_rank(a: &Hit, b: &Hit) -> Ordering {
        b.similarity.total_cmp(&a.similarity).then(b.numbers.cmp(&a.numbers)).then(a.ordinal.cmp(&b.ordinal))
    }
}

/// A card, compared with every test by words.
pub struct Search<'i> {
    reader: &'i Reader,
    words: HashMap<u32, CardWord>,
    /// By trigram bucket: the card's, and those of the best tests, each with its share.
    trigrams: Dense,
    /// Its numbers that are too short to count as words.
    numbers: HashSet<String>,
    /// The card's words that tests have, by rising bucket, with what each counts in a test that has it once: added up in one
    /// order, equal tests are equal.
    terms: Vec<(f32, Arc<Term>)>,
    /// How many were wanted, and the best by words alone, in no order.
    first: (usize, Vec<Hit>),
    trust: f32,
    own: f32,
}

impl<'i> Search<'i> {
    pub fn new(reader: &'i Reader, query: &Query<'_>) -> Result<Search<'i>, Unusable> {
        let mut search = Search {
            reader,
            words: HashMap::new(),
            trigrams: Dense::empty(),
            numbers: [query.title, query.body].into_iter().flat_map(short_numbers).map(str::to_owned).collect(),
            terms: Vec::new(),
            first: (0, Vec::new()),
            trust: 0.0,
            own: 1.0,
        };
        let (body, of_body) = search.card(query.body)?;
        let (title, of_title) = search.card(query.title)?;
        search.trust = trust(of_body.max(of_title), reader.tests);
        search.trigrams.add(TRIGRAM_SHARE, &body.trigrams.plus(TITLE_SHARE, &title.trigrams));
        for (bucket, weight) in body.words.plus(TITLE_SHARE, &title.words).iter() {
            if let Some(word) = search.words.get_mut(&bucket) {
                word.weight = weight;
            }
            search.terms.extend(reader.term(bucket)?.map(|term| (weight * test_weight(1.0, term.idf), term)));
        }
        let best = search.best(TRUSTED_TESTS)?;
        search.feed_back(&best[..best.len().min(FEEDBACK_TESTS)])?;
        search.own = search.own_share(&best)?;
        Ok(search)
    }

    /// Rocchio's feedback from the best tests, in trigrams alone: those of the tests that are compared are at hand, while the
    /// words would have to be looked up.
    fn feed_back(&mut self, best: &[Hit]) -> Result<(), Unusable> {
        let total: f32 = best.iter().map(|hit| hit.similarity).sum();
        for hit in best {
            let share = FEEDBACK_SHARE * hit.similarity / total;
            self.trigrams.add(share, &self.reader.look(hit.ordinal)?.trigrams);
        }
        Ok(())
    }

    fn own_share(&self, best: &[Hit]) -> Result<f32, Unusable> {
        let shared = best.iter().map(|hit| self.shared(hit.ordinal)).collect::<Result<Vec<_>, _>>()?;
        Ok(own(shared.into_iter().flatten().map(|(weight, bucket)| (weight, is_general(bucket)))))
    }

    /// The buckets of the words that the card and a test share, each with what it adds to the likeness.
    fn shared(&self, ordinal: u32) -> Result<Vec<(f32, u32)>, Unusable> {
        let mut buckets = self.reader.look(ordinal)?.words.clone();
        let shared = counts(&mut buckets).filter_map(|(bucket, count)| {
            let word = self.words.get(&bucket).filter(|word| word.weight > 0.0)?;
            Some((word.weight * test_weight(count, word.idf), bucket))
        });
        Ok(shared.collect())
    }

    /// A text of the card, and the sum of its words' squared idfs. Words that no test has are left out of both: so the
    /// similarity says how well the test covers what the tests know of the card.
    fn card(&mut self, text: &str) -> Result<(Blocks, f32), Unusable> {
        let (mut buckets, mut letters) = (Vec::new(), Vec::new());
        let words = &mut self.words;
        self.reader.words(text, |word| {
            buckets.push(word.bucket);
            words.entry(word.bucket).or_insert_with(|| CardWord { text: word.text.to_owned(), idf: 0.0, weight: 0.0 });
            trigrams(word.text, |trigram| letters.push(u32::from(trigram)));
        });
        let mut squares = 0.0;
        let words = Sparse::unit(&mut buckets, |bucket, count| {
            let Some(term) = self.reader.term(bucket)? else { return Ok(None) };
            self.words.entry(bucket).and_modify(|word| word.idf = term.idf);
            squares += term.idf * term.idf;
            Ok(Some(card_weight(count, term.idf)))
        })?;
        let trigrams = Sparse::unit(&mut letters, |bucket, count| {
            Ok::<_, Unusable>(self.reader.trigram_idf(bucket).map(|idf| card_weight(count, idf)))
        })?;
        Ok((Blocks { words, trigrams }, squares))
    }

    /// The `pool` best, best first; ties by ordinal. A test that has nothing of the card is none of them.
    pub fn best(&mut self, pool: usize) -> Result<Vec<Hit>, Unusable> {
        let wanted = pool.max(SECOND_STAGE);
        if self.first.0 != wanted {
            self.first = (wanted, self.first_stage(wanted)?);
        }
        let compared = self.first.1.iter().map(|hit| self.compare(hit.ordinal, hit.similarity));
        let mut hits = compared.collect::<Result<Vec<Hit>, _>>()?;
        hits.retain(|hit| hit.similarity > 0.0);
        hits.sort_unstable_by(Hit::by_rank);
        hits.truncate(pool);
        Ok(hits)
    }

    /// The best by words alone, in no order. Where there are many windows, two threads share them.
    fn first_stage(&self, wanted: usize) -> Result<Vec<Hit>, Unusable> {
        let windows: Vec<&[u8]> = self.reader.lengths()?.chunks(WINDOW).collect();
        let terms = self.terms.iter().map(|(weight, term)| Ok((*weight, self.reader.postings(term)?)));
        let terms = terms.collect::<Result<Vec<_>, Unusable>>()?;
        let next = AtomicUsize::new(0);
        let take_windows = || {
            let kept = || self.reader.scores.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scores = kept().pop().unwrap_or_else(|| Box::new([0.0; WINDOW]));
            let mut best = Best::new(wanted, self.reader.tests as usize);
            loop {
                let window = next.fetch_add(1, Relaxed);
                let Some(lengths) = windows.get(window) else {
                    kept().push(scores);
                    return best;
                };
                terms.iter().for_each(|(weight, postings)| postings.add(*weight, window, &mut scores));
                best.take((window * WINDOW) as u32, &*scores, lengths);
                scores[..lengths.len()].fill(0.0);
            }
        };
        if windows.len() < SHARED_WINDOWS {
            return Ok(take_windows().done());
        }
        let [mut best, other] = both(take_windows, take_windows);
        best.hits.extend(other.hits);
        Ok(best.done())
    }

    /// This test, however well it does.
    pub fn hit(&self, ordinal: u32) -> Result<Hit, Unusable> {
        self.compare(ordinal, self.words_of(ordinal)?)
    }

    /// The words' cosine of one test, as the first stage adds it up.
    fn words_of(&self, ordinal: u32) -> Result<f32, Unusable> {
        let Some(&length) = self.reader.lengths()?.get(ordinal as usize) else {
            return Err(Unusable::new(format_args!("it has no test {ordinal}")));
        };
        let words = self.terms.iter();
        let sum = words
            .map(|(weight, term)| Ok(self.reader.postings(term)?.weight(*weight, ordinal)))
            .sum::<Result<f32, Unusable>>()?;
        Ok(sum * of_length_code(length))
    }

    /// A test of which the words are compared already.
    fn compare(&self, ordinal: u32, words: f32) -> Result<Hit, Unusable> {
        let test = self.reader.look(ordinal)?;
        let numbers = test.numbers.iter().filter(|number| self.numbers.contains(*number)).count() as u32;
        let trigrams = self.trigrams.dot(&test.trigrams);
        Ok(Hit { ordinal, similarity: similarity(words, trigrams, self.trust, self.own), numbers })
    }

    /// With the words that the card and the test share.
    pub fn explain(&mut self, hit: Hit) -> Result<Candidate, Unusable> {
        let Hit { ordinal, similarity, .. } = hit;
        let shared = self.shared(ordinal)?.into_iter();
        let mut shared: Vec<(f32, &str)> =
            shared.filter_map(|(weight, bucket)| Some((weight, self.words.get(&bucket)?.text.as_str()))).collect();
        shared.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let words = shared.into_iter().take(WORDS_SHOWN).map(|(_, word)| word.to_owned()).collect();
        Ok(Candidate { ordinal, similarity, words })
    }

    /// A test as MMR compares it with other tests.
    pub fn choice(&self, hit: Hit) -> Result<Choice, Unusable> {
        Ok(Choice { similarity: hit.similarity, features: self.reader.features(hit.ordinal)? })
    }
}

/// The best of what is passed over, by rising ordinal.
struct Best {
    wanted: usize,
    /// A score has to be above it.
    least: f32,
    hits: Vec<Hit>,
}

impl Best {
    /// Of so few tests that all are wanted, those that have nothing are too.
    fn new(wanted: usize, tests: usize) -> Best {
        Best { wanted, least: if tests <= wanted { -1.0 } else { 0.0 }, hits: Vec::with_capacity(4 * wanted) }
    }

    /// The tests from `start` on: their sums, and the codes of their lengths.
    fn take(&mut self, start: u32, sums: &[f32], lengths: &[u8]) {
        let strides = sums.chunks(STRIDE).zip(lengths.chunks(STRIDE));
        for (start, (sums, lengths)) in (start..).step_by(STRIDE).zip(strides) {
            let scores = || sums.iter().zip(lengths).map(|(sum, length)| sum * of_length_code(*length));
            // Nearly all strides have nothing: this pass is one of wide instructions.
            if !scores().fold(false, |any, score| any | (score > self.least)) {
                continue;
            }
            // Of equals the first stay, and later ordinals come later.
            let hits = (start..).zip(scores()).filter(|(_, score)| *score > self.least);
            self.hits.extend(hits.map(|(ordinal, similarity)| Hit { ordinal, similarity, numbers: 0 }));
            if self.hits.len() >= 4 * self.wanted {
                self.cut();
            }
        }
    }

    /// Keeps the wanted.
    fn cut(&mut self) {
        if self.hits.len() > self.wanted && self.wanted > 0 {
            let (_, last, _) = self.hits.select_nth_unstable_by(self.wanted - 1, Hit::by_rank);
            self.least = last.similarity;
            self.hits.truncate(self.wanted);
        }
    }

    /// In no order.
    fn done(mut self) -> Vec<Hit> {
        self.cut();
        self.hits
    }
}

#[cfg(test)]
mod tests;
