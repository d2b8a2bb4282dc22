//! Whether two tests say the same in other words: then one of them is enough for a card. Pure.
//!
//! Likeness can't tell it: "rejects a wrong password" and "rejects a wrong name" are more alike than many reworded tests. So the
//! counted words have to be the same, in whatever order and form, and with them all that is too small to be counted and yet
//! decides: a "not", a digit, a letter, an operator.

use super::token::short_numbers;

/// Function words that turn a meaning round.
const DECIDING: [&str; 23] = [
    "above", "after", "all", "before", "below", "both", "down", "few", "in", "less", "more", "most", "never", "no",
    "nor", "not", "off", "on", "only", "out", "over", "under", "up",
];
const OPERATORS: &str = "<>=+*&|^%$@~\\";

/// What a test says, without the way it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Buckets, sorted, each once.
    words: Vec<u32>,
    /// Sorted.
    small: Vec<String>,
}

impl Wording {
    /// Of a text and the buckets of its words.
    pub fn of(text: &str, words: &[u32]) -> Wording {
        let mut words = words.to_vec();
        words.sort_unstable();
        words.dedup();
        let text = &parted(text);
        let runs = text.split(|char: char| !char.is_alphanumeric()).map(str::to_lowercase);
        let letter = |run: &str| run.chars().count() == 1 && run != "a" && run.chars().all(char::is_alphabetic);
        let decides = runs.filter(|run| DECIDING.contains(&run.as_str()) || letter(run));
        let operators = text.chars().filter(|char| OPERATORS.contains(*char)).map(String::from);
        let mut small: Vec<String> = decides.chain(operators).chain(short_numbers(text).map(str::to_owned)).collect();
        small.sort_unstable();
        Wording { words, small }
    }
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
