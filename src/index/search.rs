//! One card against all tests: exact by words, then the best again with their trigrams.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::mmr::Choice;
use super::store::{Fields, Section, Store, Unusable};
use super::token::{TRIGRAM_BUCKETS, Tokenizer, WORD_BITS, Word, short_numbers, trigrams};
use super::vector::{
    Blocks, FEEDBACK_SHARE, Sparse, TITLE_SHARE, TRIGRAM_SHARE, card_weight, counts, idf, idf_of_code, similarity,
    test_weight, trust, weight_of_code,
};
use super::wording::Wording;
use super::{Candidate, Query};

/// So many of the best by words get their trigrams compared; an index of no more tests is compared as a whole.
const SECOND_STAGE: usize = 100;
/// So many of the best tests tell what else the card may be about.
const FEEDBACK_TESTS: usize = 2;
/// So many matched words are named.
const WORDS_SHOWN: usize = 8;

/// Bytes of a term.
const TERM: u64 = 16;
/// So many scores are passed over at once.
const STRIDE: usize = 64;

/// Reads an index's parts.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    pub source_sha256: String,
    pub tests: u32,
    slot_bits: u32,
    trigram_idf: Vec<f32>,
    tokenizer: Mutex<Tokenizer>,
    looked_at: Mutex<HashMap<u32, Arc<Looked>>>,
}

/// A test as the second stage and MMR see it.
#[derive(Debug)]
struct Looked {
    text: String,
    /// Buckets, in the text's order.
    words: Vec<u32>,
    trigrams: Sparse,
}

/// So many tests are remembered: a card is asked about several times, and its neighbours have much the same tests.
const REMEMBERED: usize = 4096;

/// A word that some test has.
struct Term {
    idf: f32,
    postings: Range<u64>,
}

impl Reader {
    pub fn new(store: Store) -> Result<Reader, Unusable> {
        let [tests, slot_bits] = store.numbers;
        let whole = |section| store.read(section, 0..store.section_len(section));
        let source_sha256 = String::from_utf8(whole(Section::Source)?.into_owned()).map_err(Unusable::new)?;
        let codes = whole(Section::TrigramIdf)?;
        let idf = |&code: &u8| if code == 0 { 0.0 } else { idf_of_code(code) };
        let trigram_idf: Vec<f32> = codes.iter().map(idf).collect();
        let sound = slot_bits <= WORD_BITS
            && trigram_idf.len() == TRIGRAM_BUCKETS
            && store.section_len(Section::Slots) == 4 * ((1 << slot_bits) + 1)
            && store.section_len(Section::TextEnds) == 8 * u64::from(tests);
        if !sound {
            return Err(Unusable::new("its sections do not fit together"));
        }
        let (tokenizer, looked_at) = Default::default();
        Ok(Reader { store, source_sha256, tests, slot_bits, trigram_idf, tokenizer, looked_at })
    }

    fn term(&self, bucket: u32) -> Result<Option<Term>, Unusable> {
        let slot = u64::from(bucket >> (WORD_BITS - self.slot_bits));
        let bytes = self.store.read(Section::Slots, 4 * slot..4 * slot + 8)?;
        let mut fields = Fields(&bytes);
        let (Some(first), Some(past)) = (fields.u32(), fields.u32()) else { return Ok(None) };
        // The term before the first says where the first one's postings start.
        let before = u64::from(first.saturating_sub(1));
        let bytes = self.store.read(Section::Terms, TERM * before..TERM * u64::from(past.max(first)))?;
        let mut fields = Fields(&bytes);
        let mut start = 0;
        while let (Some(found), Some(frequency), Some(end)) = (fields.u32(), fields.u32(), fields.u64()) {
            if found == bucket {
                return Ok(Some(Term { idf: idf(self.tests, frequency), postings: start..end }));
            }
            start = end;
        }
        Ok(None)
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
        let weigh = |bucket, count| Ok(Some(test_weight(count, self.trigram_idf[bucket as usize])));
        let looked = Arc::new(Looked { text, words, trigrams: Sparse::unit(&mut letters, weigh)? });
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(ordinal, looked.clone());
        Ok(looked)
    }

    fn words(&self, text: &str, each: impl FnMut(Word<'_>)) {
        self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner).words(text, each);
    }

    /// What similarity reads of a test.
    fn text(&self, ordinal: u32) -> Result<String, Unusable> {
        let at = 8 * u64::from(ordinal);
        let bytes = self.store.read(Section::TextEnds, at.saturating_sub(8)..at + 8)?;
        let mut fields = Fields(&bytes);
        let start = if ordinal == 0 { Some(0) } else { fields.u64() };
        let (Some(start), Some(end)) = (start, fields.u64()) else {
            return Err(Unusable::new(format_args!("it has no test {ordinal}")));
        };
        String::from_utf8(self.store.read(Section::Texts, start..end)?.into_owned()).map_err(Unusable::new)
    }
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
    trigrams: Vec<f32>,
    /// Its numbers that are too short to count as words.
    numbers: HashSet<String>,
    /// By ordinal: the words' cosine.
    scores: Vec<f32>,
    trust: f32,
    /// Of words that the tests have, by bucket, as far as they were asked for.
    idfs: HashMap<u32, f32>,
}

impl<'i> Search<'i> {
    pub fn new(reader: &'i Reader, query: &Query<'_>) -> Result<Search<'i>, Unusable> {
        let mut search = Search {
            reader,
            words: HashMap::new(),
            trigrams: vec![0.0; TRIGRAM_BUCKETS],
            numbers: [query.title, query.body].into_iter().flat_map(short_numbers).map(str::to_owned).collect(),
            scores: vec![0.0; reader.tests as usize],
            trust: 0.0,
            idfs: HashMap::new(),
        };
        let mut terms = HashMap::new();
        let (body, of_body) = search.card(query.body, &mut terms)?;
        let (title, of_title) = search.card(query.title, &mut terms)?;
        search.trust = trust(of_body.max(of_title), reader.tests);
        for (bucket, weight) in body.trigrams.plus(TITLE_SHARE, &title.trigrams).iter() {
            search.trigrams[bucket as usize] = TRIGRAM_SHARE * weight;
        }
        for (bucket, weight) in body.words.plus(TITLE_SHARE, &title.words).iter() {
            if let Some(word) = search.words.get_mut(&bucket) {
                word.weight = weight;
            }
            if let Some(Some(term)) = terms.get(&bucket) {
                search.add(term, weight)?;
            }
        }
        search.feed_back()?;
        Ok(search)
    }

    /// Rocchio's feedback from the best tests, in trigrams alone: those of the tests that are compared are at hand, while the
    /// words would have to be looked up.
    fn feed_back(&mut self) -> Result<(), Unusable> {
        let best = self.best(FEEDBACK_TESTS)?;
        let total: f32 = best.iter().map(|hit| hit.similarity).sum();
        for hit in best {
            let share = FEEDBACK_SHARE * hit.similarity / total;
            for (trigram, weight) in self.reader.look(hit.ordinal)?.trigrams.iter() {
                self.trigrams[trigram as usize] += share * weight;
            }
        }
        Ok(())
    }

    /// A text of the card, and the sum of its words' squared idfs. Words that no test has are left out of both: so the
    /// similarity says how well the test covers what the tests know of the card.
    fn card(&mut self, text: &str, terms: &mut HashMap<u32, Option<Term>>) -> Result<(Blocks, f32), Unusable> {
        let (mut buckets, mut letters) = (Vec::new(), Vec::new());
        let words = &mut self.words;
        self.reader.words(text, |word| {
            buckets.push(word.bucket);
            words.entry(word.bucket).or_insert_with(|| CardWord { text: word.text.to_owned(), idf: 0.0, weight: 0.0 });
            trigrams(word.text, |trigram| letters.push(u32::from(trigram)));
        });
        let mut squares = 0.0;
        let words = Sparse::unit(&mut buckets, |bucket, count| {
            let term = match terms.entry(bucket) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.reader.term(bucket)?),
            };
            let Some(term) = term else { return Ok(None) };
            self.words.entry(bucket).and_modify(|word| word.idf = term.idf);
            squares += term.idf * term.idf;
            Ok(Some(card_weight(count, term.idf)))
        })?;
        let trigrams = Sparse::unit(&mut letters, |bucket, count| {
            let idf = self.reader.trigram_idf[bucket as usize];
            Ok::<_, Unusable>((idf > 0.0).then(|| card_weight(count, idf)))
        })?;
        Ok((Blocks { words, trigrams }, squares))
    }

    fn add(&mut self, term: &Term, weight: f32) -> Result<(), Unusable> {
        let bytes = self.reader.store.read(Section::Postings, term.postings.clone())?;
        let mut fields = Fields(&bytes);
        let mut ordinal = 0_u32;
        while let Some(distance) = fields.leb128() {
            ordinal = ordinal.saturating_add(distance);
            match (self.scores.get_mut(ordinal as usize), fields.u8()) {
                (Some(score), Some(code)) => *score += weight * weight_of_code(code),
                _ => return Err(Unusable::new("postings point to no test")),
            }
        }
        Ok(())
    }

    /// The `pool` best, best first; ties by ordinal. A test that has nothing of the card is none of them.
    pub fn best(&mut self, pool: usize) -> Result<Vec<Hit>, Unusable> {
        let first = self.first_stage(pool.max(SECOND_STAGE));
        let mut hits = first.into_iter().map(|hit| self.hit(hit.ordinal)).collect::<Result<Vec<Hit>, _>>()?;
        hits.retain(|hit| hit.similarity > 0.0);
        hits.sort_unstable_by(Hit::by_rank);
        hits.truncate(pool);
        Ok(hits)
    }

    /// The best by words alone, in no order.
    fn first_stage(&self, wanted: usize) -> Vec<Hit> {
        if self.scores.len() <= wanted {
            return hits(0, &self.scores).collect();
        }
        let mut best = Vec::with_capacity(4 * wanted);
        let mut least = 0.0;
        for (start, scores) in (0..).step_by(STRIDE).zip(self.scores.chunks(STRIDE)) {
            // Nearly all strides have nothing: this pass is one of wide instructions.
            if !scores.iter().fold(false, |any, score| any | (*score > least)) {
                continue;
            }
            // Of equals the first stay, and later ordinals come later.
            best.extend(hits(start, scores).filter(|hit| hit.similarity > least));
            if best.len() >= 4 * wanted {
                least = cut(&mut best, wanted);
            }
        }
        cut(&mut best, wanted);
        best
    }

    /// This test, however well it does.
    pub fn hit(&mut self, ordinal: u32) -> Result<Hit, Unusable> {
        let test = self.reader.look(ordinal)?;
        let numbers = short_numbers(&test.text).filter(|number| self.numbers.contains(*number)).count() as u32;
        let words = self.scores.get(ordinal as usize).copied().unwrap_or_default();
        let trigrams = test.trigrams.iter().map(|(trigram, weight)| weight * self.trigrams[trigram as usize]).sum();
        Ok(Hit { ordinal, similarity: similarity(words, trigrams, self.trust), numbers })
    }

    /// With the words that the card and the test share.
    pub fn explain(&mut self, hit: Hit) -> Result<Candidate, Unusable> {
        let Hit { ordinal, similarity, .. } = hit;
        let mut buckets = self.reader.look(ordinal)?.words.clone();
        let shared = counts(&mut buckets).filter_map(|(bucket, count)| {
            let word = self.words.get(&bucket).filter(|word| word.weight > 0.0)?;
            Some((word.weight * test_weight(count, word.idf), word.text.as_str()))
        });
        let mut shared: Vec<(f32, &str)> = shared.collect();
        shared.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let words = shared.into_iter().take(WORDS_SHOWN).map(|(_, word)| word.to_owned()).collect();
        Ok(Candidate { ordinal, similarity, words })
    }

    /// A test as MMR compares it with other tests.
    pub fn choice(&mut self, hit: Hit) -> Result<Choice, Unusable> {
        let test = self.reader.look(hit.ordinal)?;
        let mut buckets = test.words.clone();
        let words = Sparse::unit(&mut buckets, |bucket, count| {
            let idf = match self.idfs.get(&bucket) {
                Some(idf) => *idf,
                None => {
                    let idf = self.reader.term(bucket)?.map_or(0.0, |term| term.idf);
                    self.idfs.insert(bucket, idf);
                    idf
                }
            };
            Ok::<_, Unusable>(Some(test_weight(count, idf)))
        })?;
        let wording = Wording::of(&test.text, &test.words);
        let blocks = Blocks { words, trigrams: test.trigrams.clone() };
        Ok(Choice { similarity: hit.similarity, wording, blocks })
    }
}

/// The tests from `start` on with their scores.
fn hits(start: u32, scores: &[f32]) -> impl Iterator<Item = Hit> {
    (start..).zip(scores).map(|(ordinal, &similarity)| Hit { ordinal, similarity, numbers: 0 })
}

/// Keeps the `wanted` best, in no order, and gives the least similarity among them: 0 where there are fewer.
fn cut(hits: &mut Vec<Hit>, wanted: usize) -> f32 {
    if hits.len() <= wanted || wanted == 0 {
        return 0.0;
    }
    let (_, last, _) = hits.select_nth_unstable_by(wanted - 1, Hit::by_rank);
    let least = last.similarity;
    hits.truncate(wanted);
    least
}
