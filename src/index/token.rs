//! Text → the words and letter trigrams that similarity counts. Pure.
//!
//! Identifiers are split (`parseHTTPHeader2` → `parse http header header2`), stop words and single letters dropped, words
//! stemmed (Snowball English) and hashed: of all steps, the splitting gains most on tests that are names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rust_stemmers::{Algorithm, Stemmer};

/// Words are hashed to so many bits: below 2^14 collisions cost quality, above it size alone.
pub const WORD_BITS: u32 = 18;
/// Trigrams are hashed to so many bits.
pub const TRIGRAM_BITS: u32 = 16;
pub const TRIGRAM_BUCKETS: usize = 1 << TRIGRAM_BITS;

/// Bare numbers count from so many digits up: `#1234` is a name, `2` is not.
const SHORTEST_NUMBER: usize = 3;

/// The bare numbers of a text that are too short to count as words.
pub fn short_numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_alphanumeric());
    runs.filter(|run| run.len() < SHORTEST_NUMBER && !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Sorted. English function words, which say nothing about the subject.
const STOP_WORDS: &str = "a about above after again against all also am an and any are as at be because been before being \
below between both but by can could did do does doing down during e each eg etc few for from further g had has have having \
he her here hers him his how i ie if in into is it its itself just may me more most must my no nor not now of off on once \
only or other our ours out over own same shall she should so some such than that the their theirs them then there these \
they this those through to too under until up very via was we were what when where which while who whom why will with would \
you your yours";

/// Those of French, German, Italian, Spanish and Portuguese that are no words of English or of a trade.
const FOREIGN_STOP_WORDS: &str = "afin agli ainsi alla alle allo als ao aos apres au auch auf aus aux avec avoir bei beim ces cette che como cuando cui \
da dai dall dalla dalle dallo dans das dass de degli dei della delle dello dem den der di dont du durch ein eine einem \
einen einer eines elle elles essere et ete etre fra fur gli il im la las les leur leurs lors los meme nach ne nei nel \
nell nella nelle nello nicht oder ont ou para por pour quando que qui sao seu sind sobre sono sont stata stato sua sui \
sull sulla sulle sullo sur um uma umas un una unas und une uno unos uns viene vom von wenn werden wie wird wurde \
zu zum zur";

/// U+00C0 to U+017F without their accents, so that a text finds its other spellings (é as one character or as two, or as e).
const UNACCENTED: &str = "AAAAAAACEEEEIIIIDNOOOOO×OUUUUYTsaaaaaaaceeeeiiiidnooooo÷ouuuuyty\
AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL\
lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/// One word of a text, as it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'t> {
    /// Lower case, not stemmed: for people, and for the trigrams.
    pub text: &'t str,
    /// Where its stem is counted: below 2^[`WORD_BITS`].
    pub bucket: u32,
}

/// Splits texts into words. Remembers the stems that it has seen.
pub struct Tokenizer {
    english: Stemmer,
    russian: Stemmer,
    unaccented: Vec<char>,
    /// None: a stop word.
    buckets: HashMap<u128, Option<u32>, BuildHasherDefault<Mixer>>,
    run: Vec<Letter>,
    word: String,
}

/// A character of a word, and how the splitter sees it.
#[derive(Debug, Clone, Copy)]
struct Letter {
    /// An ASCII one is lower case already.
    char: char,
    class: Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    /// Lower case, and the letters of scripts that have no case.
    Lower,
    Digit,
    /// Scripts written without spaces: read as bigrams.
    Dense,
}

impl Default for Tokenizer {
    fn default() -> Tokenizer {
        let stop_words = STOP_WORDS.split(' ').chain(FOREIGN_STOP_WORDS.split(' '));
        Tokenizer {
            english: Stemmer::create(Algorithm::English),
            russian: Stemmer::create(Algorithm::Russian),
            unaccented: UNACCENTED.chars().collect(),
            buckets: stop_words.filter_map(key).map(|word| (word, None)).collect(),
            run: Vec::new(),
            word: String::new(),
        }
    }
}

#[cfg(test)]
impl Tokenizer {
    pub fn buckets(&mut self, text: &str) -> Vec<u32> {
        let mut buckets = Vec::new();
        self.words(text, |word| buckets.push(word.bucket));
        buckets
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Gives each counted word of `text`, in order, repetitions included.
    pub fn words(&mut self, text: &str, mut each: impl FnMut(Word<'_>)) {
        let mut run = std::mem::take(&mut self.run);
        for char in text.chars() {
            match self.read(char) {
                Read::Letter(letter) => run.push(letter),
                Read::Nothing => {}
                Read::Break => self.split(&mut run, &mut each),
            }
        }
        self.split(&mut run, &mut each);
        self.run = run;
    }

    fn read(&self, char: char) -> Read {
        let letter = |char, class| Read::Letter(Letter { char, class });
        match char {
            'a'..='z' => letter(char, Class::Lower),
            'A'..='Z' => letter(char.to_ascii_lowercase(), Class::Upper),
            '0'..='9' => letter(char, Class::Digit),
            '\0'..='\x7f' => Read::Break,
            '\u{c0}'..='\u{17f}' => match self.unaccented.get(char as usize - 0xc0) {
                Some(&plain) if plain.is_ascii_uppercase() => letter(plain.to_ascii_lowercase(), Class::Upper),
                Some(&plain) if plain.is_ascii() => letter(plain, Class::Lower),
                _ => Read::Break,
            },
            // Accents that stand by themselves, and joiners.
            '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' => Read::Nothing,
            // Full-width ASCII.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xfee0).map_or(Read::Break, |char| self.read(char)),
            _ if is_dense(char) => letter(char, Class::Dense),
            _ if char.is_uppercase() => letter(char, Class::Upper),
            _ if char.is_alphabetic() || is_virama(char) => letter(char, Class::Lower),
            _ if char.is_numeric() => letter(char, Class::Digit),
            _ => Read::Break,
        }
    }

    /// Splits a run of letters where the case or the kind changes: `[A-Z]+(?=[A-Z][a-z]) | [A-Z]?[a-z]+[0-9]* |
    /// [A-Z]+[0-9]* | [0-9]+`.
    fn split(&mut self, run: &mut Vec<Letter>, each: &mut impl FnMut(Word<'_>)) {
        let mut at = 0;
        while let Some(first) = run.get(at) {
            let past = |from: usize, class: Class| from + run[from..].iter().take_while(|l| l.class == class).count();
            let end = match first.class {
                Class::Upper => {
                    let capitals = past(at, Class::Upper);
                    let small = past(capitals, Class::Lower);
                    match (small > capitals, capitals - at) {
                        (true, 2..) => capitals - 1,
                        (_, _) => past(small, Class::Digit),
                    }
                }
                Class::Lower => past(past(at, Class::Lower), Class::Digit),
                Class::Digit => past(at, Class::Digit),
                Class::Dense => past(at, Class::Dense),
            };
            match first.class {
                Class::Dense => self.bigrams(&run[at..end], each),
                Class::Upper | Class::Lower | Class::Digit => self.piece(&run[at..end], each),
            }
            at = end;
        }
        run.clear();
    }

    /// `sha256` counts as `sha`, `sha256` and `256`.
    fn piece(&mut self, piece: &[Letter], each: &mut impl FnMut(Word<'_>)) {
        let letters = piece.iter().take_while(|letter| letter.class != Class::Digit).count();
        let digits = piece.len() - letters;
        if letters > 1 {
            self.word(&piece[..letters], each);
        }
        if letters > 0 && digits > 0 {
            self.word(piece, each);
        }
        if digits >= SHORTEST_NUMBER {
            self.word(&piece[letters..], each);
        }
    }

    fn bigrams(&mut self, run: &[Letter], each: &mut impl FnMut(Word<'_>)) {
        match run {
            [_] => self.word(run, each),
            _ => run.windows(2).for_each(|pair| self.word(pair, each)),
        }
    }

    fn word(&mut self, letters: &[Letter], each: &mut impl FnMut(Word<'_>)) {
        let mut word = std::mem::take(&mut self.word);
        word.clear();
        for letter in letters {
            match letter.class {
                Class::Upper if !letter.char.is_ascii() => word.extend(letter.char.to_lowercase()),
                Class::Upper | Class::Lower | Class::Digit | Class::Dense => word.push(letter.char),
            }
        }
        if let Some(bucket) = self.bucket(&word) {
            each(Word { text: &word, bucket });
        }
        self.word = word;
    }

    /// By its stem, in the language that its letters tell.
    fn bucket(&mut self, word: &str) -> Option<u32> {
        let Tokenizer { english, russian, buckets, .. } = self;
        let stemmer = if word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            english
        } else if word.chars().all(|char| matches!(char, 'а'..='я' | 'ё')) {
            russian
        } else {
            return Some(word_bucket(word));
        };
        let stemmed = || Some(word_bucket(&stemmer.stem(word)));
        match key(word) {
            Some(key) => *buckets.entry(key).or_insert_with(stemmed),
            None => stemmed(),
        }
    }
}

/// The word itself, as a number: to know it again takes no look at a text elsewhere. None for the few that are too long.
fn key(word: &str) -> Option<u128> {
    let letters = || word.bytes().fold(0, |key, byte| key << 8 | u128::from(byte));
    (word.len() <= size_of::<u128>()).then(letters)
}

/// Hashes keys of words: they come from the user's own files, so that nobody chooses them to collide.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write_u128(&mut self, key: u128) {
        let mixed = (key as u64 ^ ((key >> 64) as u64).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u128(u128::from(self.0) << 8 | u128::from(*byte)));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

enum Read {
    Letter(Letter),
    /// Passed over, without ending the word.
    Nothing,
    Break,
}

/// Han, kana, Hangul, Thai, Lao, Myanmar and Khmer, with their marks.
fn is_dense(char: char) -> bool {
    let scripts = matches!(char as u32,
        0x0e01..=0x0e4e | 0x0e81..=0x0ecd | 0x1000..=0x103f | 0x1100..=0x11ff | 0x1780..=0x17d3 | 0x3005..=0x3007
        | 0x3041..=0x30ff | 0x3130..=0x318f | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xff66..=0xffdc | 0x20000..=0x3ffff);
    // The katakana middle dot and the Thai currency sign part words.
    scripts && !matches!(char, '\u{30fb}' | '\u{30a0}' | '\u{e3f}')
}

/// The signs that join consonants in the Indic scripts: no letters by property, and yet inside words.
fn is_virama(char: char) -> bool {
    matches!(char as u32, 0x0900..=0x0d7f) && matches!(char as u32 & 0x7f, 0x3c | 0x4d)
}

/// FNV-1a, mixed so that the upper bits depend on every byte.
pub fn word_bucket(word: &str) -> u32 {
    let hash = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    upper_bits(hash ^ (hash >> 32), WORD_BITS)
}

/// Gives the bucket of each three characters in a row of `<word>`.
pub fn trigrams(word: &str, mut each: impl FnMut(u16)) {
    let mut window = u64::from('<');
    let mut seen = 1;
    for char in word.chars().chain(['>']) {
        // 21 bits a character: three of them fill 63.
        window = ((window << 21) | u64::from(char)) & (u64::MAX >> 1);
        seen += 1;
        if seen >= 3 {
            each(upper_bits(window, TRIGRAM_BITS) as u16);
        }
    }
}

/// Fibonacci hashing: the upper bits of a product.
fn upper_bits(key: u64, bits: u32) -> u32 {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as u32
}

#[cfg(test)]
mod tests;
