//! How alike a line is to what was looked for. Pure.

use std::collections::HashMap;

/// A text's pairs of neighbouring characters, or a pattern's literal words.
pub(super) enum Likeness {
    Pairs(HashMap<(char, char), usize>),
    Words(Vec<String>),
}

/// So much of a line is compared, in bytes and in pairs.
const COMPARED: usize = 4096;
const PAIRS: usize = 400;
/// Words of a pattern that are looked for.
const WORDS: usize = 50;

impl Likeness {
    pub(super) fn text(text: &str) -> Likeness {
        Likeness::Pairs(pairs(text))
    }

    pub(super) fn pattern(pattern: &str) -> Likeness {
        Likeness::Words(words(pattern))
    }

    /// From here on a line is a near miss. Of alternatives a line has one at most.
    pub(super) fn near(&self) -> f64 {
        match self {
            Likeness::Pairs(_) => 0.4,
            Likeness::Words(_) => 0.25,
        }
    }

    /// 0 to 1. Of two texts Dice's coefficient over pairs of characters (Dice 1945), of a pattern's words the part that the
    /// line has, long words counting more.
    pub(super) fn of(&self, line: &str) -> f64 {
        match self {
            Likeness::Pairs(wanted) => {
                let found = pairs(line);
                let total: usize = wanted.values().chain(found.values()).sum();
                let common: usize =
                    wanted.iter().map(|(pair, count)| (*count).min(found.get(pair).copied().unwrap_or(0))).sum();
                share(2 * common, total)
            }
            Likeness::Words(words) => {
                let line = line[..line.floor_char_boundary(COMPARED)].to_lowercase();
                let found = words.iter().filter(|word| line.contains(word.as_str())).map(String::len).sum();
                share(found, words.iter().map(String::len).sum())
            }
        }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn pairs(line: &str) -> HashMap<(char, char), usize> {
    let line = line.trim();
    let mut pairs = HashMap::new();
    for pair in line.chars().zip(line.chars().skip(1)).take(PAIRS) {
        *pairs.entry(pair).or_insert(0) += 1;
    }
    pairs
}

/// The literal words of a regular expression, in lower case: classes, escapes, flags, names and counts are none. It is
/// read roughly, for a hint.
fn words(pattern: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('p' | 'P' | 'x' | 'u' | 'U') if chars.peek() == Some(&'{') => {
                    chars.find(|end| *end == '}');
                    words.push(String::new());
                }
                _ => words.push(String::new()),
            },
            '[' => {
                // A bracket that stands first is no end.
                chars.next_if_eq(&'^');
                chars.next_if_eq(&']');
                while let Some(inside) = chars.next() {
                    match inside {
                        '\\' => drop(chars.next()),
                        ']' => break,
                        _ => {}
                    }
                }
                words.push(String::new());
            }
            '{' => {
                chars.find(|end| *end == '}');
                words.push(String::new());
            }
            '(' if chars.peek() == Some(&'?') => {
                chars.find(|end| matches!(end, ':' | '>' | ')'));
                words.push(String::new());
            }
            '?' | '*' => {
                // What may be missing.
                words.last_mut().and_then(String::pop);
                words.push(String::new());
            }
            _ if char.is_alphanumeric() || char == '_' || char == '-' => {
                words.last_mut().into_iter().for_each(|word| word.extend(char.to_lowercase()));
            }
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| word.chars().count() > 1);
    words.truncate(WORDS);
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_patterns_words_are_what_a_line_must_have() {
        for (pattern, expected) in [
            (r"^fn \w+\(line", &["fn", "line"][..]),
            (r"[^\]x]open[]a]Closed", &["open", "closed"]),
            (r"(?i:Hello),?\s+(?P<who>wor?ld)", &["hello", "wo", "ld"]),
            (r"\p{Greek}alpha\x{3b1}beta{2,3}gamma", &["alpha", "beta", "gamma"]),
            (r"a|b|\d{3}", &[]),
            (r"colou?r-scheme", &["colo", "r-scheme"]),
            ("[", &[]),
            ("\\", &[]),
            ("", &[]),
        ] {
            assert_eq!(words(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_compared(pattern in "(?s).{0,60}|[\\\\\\[\\](){}?*^a-c]{0,40}", line in "(?s).{0,60}") {
            for likeness in [Likeness::pattern(&pattern), Likeness::text(&pattern)] {
                prop_assert!((0.0..=1.0).contains(&likeness.of(&line)));
            }
        }
    }
}
