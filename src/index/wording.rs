//! Whether two tests say the same in other words: then one of them is enough for a card. Pure.
//!
//! Likeness can't tell it: "rejects a wrong password" and "rejects a wrong name" are more alike than many reworded tests. So the
//! counted words have to be the same, in whatever order and form, and with them all that is too small to be counted and yet
//! decides: a "not", a digit, a letter, an operator. Names of tests are chosen to differ: of two names the words have to be the
//! same as they stand there.

use super::token::short_numbers;

/// Function words that turn a meaning round.
const DECIDING: [&str; 23] = [
    "above", "after", "all", "before", "below", "both", "down", "few", "in", "less", "more", "most", "never", "no",
    "nor", "not", "off", "on", "only", "out", "over", "under", "up",
];
const OPERATORS: &str = "<>=+*&|^%$@~\\";

/// What a test says, without the way it says it.
#[derive(Debug, Clone)]
pub struct Wording {
    /// Buckets, sorted, each once.
    words: Vec<u32>,
    /// Sorted.
    small: Vec<String>,
    /// Of a name of a test: its words as they stand there, in lower case, without "test".
    name: Option<Vec<String>>,
}

impl Wording {
    /// Of a text and the buckets of its words.
    pub fn of(text: &str, words: &[u32]) -> Wording {
        let mut words = words.to_vec();
        words.sort_unstable();
        words.dedup();
        let parted = parted(text);
        let runs = || parted.split(|char: char| !char.is_alphanumeric()).map(str::to_lowercase);
        let letter = |run: &str| run.chars().count() == 1 && run != "a" && run.chars().all(char::is_alphabetic);
        let decides = runs().filter(|run| DECIDING.contains(&run.as_str()) || letter(run));
        let operators = parted.chars().filter(|char| OPERATORS.contains(*char)).map(String::from);
        let numbers = short_numbers(&parted).map(str::to_owned);
        let mut small: Vec<String> = decides.chain(operators).chain(numbers).collect();
        small.sort_unstable();
        let counts = |run: &String| !["", "test", "tests"].contains(&run.as_str());
        let name = is_name(text).then(|| runs().filter(counts).collect());
        Wording { words, small, name }
    }

    /// Whether one of both is enough for a card.
    pub fn says_same(&self, other: &Wording) -> bool {
        match (&self.name, &other.name) {
            (Some(name), Some(other)) => name == other,
            _ => self.words == other.words && self.small == other.small,
        }
    }
}

/// `testFoo`, `test_foo (module.Case)`: one word, or several that are each put together of others.
fn is_name(text: &str) -> bool {
    let put_together = |word: &str| {
        let word = word.trim_matches(|char: char| !char.is_alphanumeric());
        word.contains(['_', '.', ':', '/']) || parted(word).len() > word.len()
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() == 1 || !words.is_empty() && words.into_iter().all(put_together)
}

/// With a space before each word of an identifier: `isNotBlank` says "not", and `get2dY` a digit and two letters.
fn parted(text: &str) -> String {
    let (mut parted, mut before) = (String::with_capacity(text.len() + 16), ' ');
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let ends_capitals = before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase());
        let hump = char.is_uppercase() && before.is_alphanumeric() && (!before.is_uppercase() || ends_capitals);
        if hump || before.is_numeric() && char.is_alphabetic() {
            parted.push(' ');
        }
        parted.push(char);
        before = char;
    }
    parted
}

#[cfg(test)]
mod tests;
