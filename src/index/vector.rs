//! Weights and sparse vectors: what a word counts in a test and in a card. Pure.
//!
//! The weighting is tf-idf after Salton, strong on the card and weak on the tests: test strings are short, and their rare
//! words already stand out through their length.

use super::token::TRIGRAM_BUCKETS;

/// How much the trigram block counts beside the word block (1). Mean MAP over the eight sets of `benches/retrieval` is .660
/// at 0 and .67 from .3 to .7; below .4 no set falls behind BM25 by more than .02.
pub const TRIGRAM_SHARE: f32 = 0.35;
/// How much the title, which is in the card's text already, counts again: mean MAP is .662 at .2, .669 at .35, .672 at .45.
pub const TITLE_SHARE: f32 = 0.45;

/// How much the trigrams of the best tests count beside them: cards have several tests, and those are like one another.
pub const FEEDBACK_SHARE: f32 = 0.15;

/// `1 + ln((1 + tests) / (1 + tests with the feature))`: at least 1.
pub fn idf(tests: u32, frequency: u32) -> f32 {
    1.0 + ((1.0 + f64::from(tests)) / (1.0 + f64::from(frequency.min(tests)))).ln() as f32
}

/// What a feature that occurs `count` times counts in a test, beside one that occurs once.
pub fn share(count: u8) -> f32 {
    f32::from(count).sqrt()
}

/// What a feature that occurs `count` times counts in a test.
pub fn test_weight(count: f32, idf: f32) -> f32 {
    count.sqrt() * idf.sqrt().sqrt()
}

/// The length of a test's vector in one byte: the upper bits of what [`of_length_code`] gives. It is wrong by one 64th at most
/// from 1/2 to 128, where tests are: no idf is below 1.
pub fn length_code(length: f32) -> u8 {
    let bits = (1.0 / length).to_bits() + (1 << (LENGTH_SHIFT - 1));
    (bits.saturating_sub(LONGEST) >> LENGTH_SHIFT).min(255) as u8
}

/// What a sum is multiplied by, in place of a division by the length.
pub fn of_length_code(code: u8) -> f32 {
    f32::from_bits(LONGEST + (u32::from(code) << LENGTH_SHIFT))
}

/// Five bits of the fraction are left, and three of the exponent.
const LENGTH_SHIFT: u32 = 18;
/// One 128th: its exponent, and no fraction.
const LONGEST: u32 = (127 - 7) << 23;

/// What a feature that occurs `count` times counts in a card.
pub fn card_weight(count: f32, idf: f32) -> f32 {
    (1.0 + count.ln()) * idf
}

/// The cosine of both blocks together, in [0, 1].
pub fn blend(words: f32, trigrams: f32) -> f32 {
    ((words + TRIGRAM_SHARE * trigrams) / (1.0 + TRIGRAM_SHARE)).clamp(0.0, 1.0)
}

/// Of a card and a test, in [0, 1], from the sums of what their words and trigrams have in common. A small likeness keeps [`own`] of
/// itself, and one of 1 the whole.
pub fn similarity(of_words: f32, of_trigrams: f32, trust: f32, own: f32) -> f32 {
    // The sum of nothing is -0.0, and shown as that.
    let likeness = ((0.0 + of_words + of_trigrams) / (1.0 + TRIGRAM_SHARE + FEEDBACK_SHARE) * trust).clamp(0.0, 1.0);
    likeness * (own + (1.0 - own) * likeness)
}

/// How much of a likeness is believed, so that one threshold serves short cards and long ones, small boards and large ones; a
/// card's ranking is not changed by it. `squares` is the sum of the squared idfs of the card's words that the tests have.
///
/// Where these are one or two, or words of most tests, they tell little: each card counts as if it had one word more that no
/// test has. And among more tests some are more alike by chance: by 1.15 among 100, by 1.3 among 1,000.
pub fn trust(squares: f32, tests: u32) -> f32 {
    let unknown = idf(tests, 0);
    let chance = 1.0 + 0.15 * (tests.max(10) as f32 / 10.0).log10();
    (squares / (squares + unknown * unknown)).sqrt() / chance
}

/// What a small likeness keeps where a match rests on words that projects have in common: those count half. `shared` is what each word
/// adds to the likeness of the card's best tests, and whether it is such a word.
///
/// Cards of another project rarely share more than those. With lists of words that were made without both projects, .19 instead of .24
/// of them find enough tests on boards of 100 to 3,000, while fewer cards than before find too few.
pub fn own(shared: impl Iterator<Item = (f32, bool)>) -> f32 {
    let (all, general) = shared.fold((0.0, 0.0), |(all, general), (weight, is_general)| {
        (all + weight, general + if is_general { weight } else { 0.0 })
    });
    if all > 0.0 { 1.0 - 0.5 * general / all } else { 1.0 }
}

/// Sorts the occurrences of features and counts them.
pub fn counts(features: &mut [u32]) -> impl Iterator<Item = (u32, f32)> {
    features.sort_unstable();
    features.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as f32))
}

/// A sparse vector: features with their weights, by rising feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sparse(Vec<(u32, f32)>);

impl Sparse {
    /// Of length 1 (or empty). `weigh` gives a feature's weight from its count; None leaves it out, of the length too.
    pub fn unit<E>(
        features: &mut [u32],
        mut weigh: impl FnMut(u32, f32) -> Result<Option<f32>, E>,
    ) -> Result<Sparse, E> {
        let mut weights = Vec::new();
        for (feature, count) in counts(features) {
            if let Some(weight) = weigh(feature, count)? {
                weights.push((feature, weight));
            }
        }
        Ok(Sparse(weights).normalised())
    }

    fn normalised(mut self) -> Sparse {
        let length = self.0.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        if length > 0.0 {
            self.0.iter_mut().for_each(|(_, weight)| *weight /= length);
        }
        self
    }

    /// `unit(self + share * other)`, where the features of `other` that `self` lacks are added.
    #[must_use]
    pub fn plus(mut self, share: f32, other: &Sparse) -> Sparse {
        for &(feature, weight) in &other.0 {
            match self.0.binary_search_by_key(&feature, |(feature, _)| *feature) {
                Ok(at) => self.0[at].1 += share * weight,
                Err(at) => self.0.insert(at, (feature, share * weight)),
            }
        }
        self.normalised()
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> {
        self.0.iter().copied()
    }

    pub fn dot(&self, other: &Sparse) -> f32 {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut sum = 0.0;
        while let (Some(&&(a, x)), Some(&&(b, y))) = (left.peek(), right.peek()) {
            match a.cmp(&b) {
                std::cmp::Ordering::Less => left.next(),
                std::cmp::Ordering::Greater => right.next(),
                std::cmp::Ordering::Equal => {
                    sum += x * y;
                    left.next();
                    right.next()
                }
            };
        }
        sum
    }
}

/// A vector of weights by trigram bucket, laid out so that many sparse ones are compared with it.
#[derive(Debug)]
pub struct Dense(Vec<f32>);

impl Dense {
    pub fn empty() -> Dense {
        Dense(vec![0.0; TRIGRAM_BUCKETS])
    }

    pub fn add(&mut self, share: f32, other: &Sparse) {
        other.iter().for_each(|(feature, weight)| self.0[feature as usize] += share * weight);
    }

    /// Empty again, if `other` is all that was added.
    pub fn clear(&mut self, other: &Sparse) {
        other.iter().for_each(|(feature, _)| self.0[feature as usize] = 0.0);
    }

    pub fn dot(&self, other: &Sparse) -> f32 {
        other.iter().map(|(feature, weight)| weight * self.0[feature as usize]).sum()
    }
}

/// A test as similarity sees it: one unit vector for the words, one for the trigrams.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Blocks {
    pub words: Sparse,
    pub trigrams: Sparse,
}
