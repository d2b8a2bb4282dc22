//! Tests and cards to measure with: the same in each run.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Distinct words: about as many as a large project has.
const VOCABULARY: f64 = 100_000.0;
const WORDS_OF_A_TEST: usize = 8;
const WORDS_OF_A_CARD: usize = 60;
pub const CARDS: usize = 100;

pub struct Corpus {
    pub texts: Vec<String>,
    /// Title and body.
    pub cards: Vec<(String, String)>,
}

impl Corpus {
    /// Made-up words, as frequent as words are (Zipf). None is a stop word.
    pub fn made_up(tests: usize) -> Corpus {
        let mut chance = Chance(42);
        let texts = (0..tests).map(|_| chance.words(WORDS_OF_A_TEST)).collect();
        let cards = (0..CARDS).map(|_| (chance.words(WORDS_OF_A_TEST), chance.words(WORDS_OF_A_CARD))).collect();
        Corpus { texts, cards }
    }

    /// Cards of the sets of `benches/retrieval`, and tests that are each the first half of one of theirs and the second of another.
    pub fn of_sets(folder: &Path, tests: usize) -> Corpus {
        let (docs, queries) = (rows(folder, "docs.jsonl"), rows(folder, "queries.jsonl"));
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().replace('\n', " ");
        let docs: Vec<[String; 2]> = docs.iter().map(|row| halves(&text(row, "text"))).collect();
        let mut chance = Chance(42);
        let mut any = || &docs[(chance.share() * docs.len() as f64) as usize];
        let texts = (0..tests).map(|_| format!("{} {}", any()[0], any()[1])).collect();
        let some = queries.iter().step_by(queries.len() / CARDS).take(CARDS);
        Corpus { texts, cards: some.map(|row| (text(row, "title"), text(row, "text"))).collect() }
    }

    /// For others to read: a test a line, and the cards as rows of JSON.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("tests.txt"), self.texts.join("\n")).unwrap();
        let cards = self.cards.iter().map(|(title, text)| json!({ "title": title, "text": text }).to_string());
        fs::write(folder.join("cards.jsonl"), cards.collect::<Vec<_>>().join("\n")).unwrap();
    }
}

fn rows(folder: &Path, file: &str) -> Vec<Value> {
    let mut sets: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join(file)).collect();
    sets.sort();
    let texts: Vec<String> = sets.iter().map(|set| fs::read_to_string(set).unwrap()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn halves(text: &str) -> [String; 2] {
    let pieces: Vec<&str> = text.split_inclusive(|char: char| !char.is_alphanumeric()).collect();
    let (first, second) = pieces.split_at(pieces.len().div_ceil(2));
    [first.concat(), second.concat()]
}

/// Numbers as if by chance, from a state.
struct Chance(u64);

impl Chance {
    /// In [0, 1).
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn words(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    /// The n-th word is met about 1/n times as often as the first.
    fn word(&mut self) -> String {
        let mut rank = VOCABULARY.powf(self.share()) as u32;
        let mut word = String::from("z");
        while rank > 0 {
            word.push(char::from(b'a' + (rank % 20) as u8));
            word.push(['a', 'e', 'i', 'o'][rank as usize % 4]);
            rank /= 20;
        }
        word
    }
}
