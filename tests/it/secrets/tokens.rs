//! Tokens put together by the shapes of `tests/secrets/shapes.tsv`, and the search for what is left of them.

use std::collections::{BTreeSet, HashMap};

use super::chance::Chance;

const SHAPES: &str = include_str!("../../secrets/shapes.tsv");
/// So many characters of a secret are a leak.
const PART: usize = 12;
/// The bytes that the search looks at first.
const WINDOW: usize = 8;

/// A made-up token with what stands around it.
#[derive(Debug, Clone)]
pub struct Token {
    pub provider: &'static str,
    /// `\n` parts the lines of a private key.
    pub text: String,
    /// Pieces of `text` that nobody may read.
    secrets: Vec<String>,
}

impl Token {
    /// On one line: as in JSON, a line end is `\n` in two characters.
    pub fn line(&self) -> String {
        self.text.replace('\n', "\\n")
    }

    /// Nothing but what is secret: no shape tells what it is.
    pub fn secret(&self) -> String {
        self.secrets.join("\n")
    }
}

/// A token of every shape; those of another `place` are others.
pub fn at(place: &str) -> Vec<Token> {
    let lines = SHAPES.lines().filter(|line| !line.starts_with('#'));
    let token = |line: &'static str| {
        let (provider, shape) = line.split_once('\t').unwrap();
        made(provider, &shape.replace('·', ""), &mut Chance::new(&format!("{place} {provider}")))
    };
    lines.map(token).collect()
}

fn made(provider: &'static str, shape: &str, chance: &mut Chance) -> Token {
    let (mut text, mut secrets, mut began) = (String::new(), Vec::new(), 0);
    let mut rest = shape;
    while let Some(char) = rest.chars().next() {
        let known = rest.strip_prefix('{').and_then(|word| word.split_once('}')).filter(|(word, _)| is_word(word));
        rest = &rest[char.len_utf8()..];
        match (char, known) {
            ('‹', _) => began = text.len(),
            ('›', _) => secrets.push(text[began..].to_owned()),
            (_, Some((word, after))) => {
                rest = after;
                match word.strip_prefix("pem:") {
                    Some(kind) => text.push_str(&pem(kind, chance, &mut secrets)),
                    None => text.push_str(&chance.text(word.chars().next().unwrap(), word[1..].parse().unwrap())),
                }
            }
            (char, None) => text.push(char),
        }
    }
    Token { provider, text, secrets }
}

fn is_word(word: &str) -> bool {
    word.starts_with("pem:") || word.starts_with(['l', 'h', 'c', 'b']) && word[1..].parse::<usize>().is_ok()
}

fn pem(kind: &str, chance: &mut Chance, secrets: &mut Vec<String>) -> String {
    let lines: Vec<String> = [64; 12].into_iter().chain([30]).map(|length| chance.text('b', length)).collect();
    secrets.extend(lines.iter().cloned());
    let label = |word: &str| format!("-----{word} {kind}PRIVATE KEY-----");
    format!("{}\n{}\n{}", label("BEGIN"), lines.join("\n"), label("END"))
}

/// Finds parts of tokens.
pub struct Search {
    /// What a part begins with; what it is a part of.
    parts: HashMap<Vec<u8>, String>,
    begins: Vec<bool>,
}

impl Search {
    /// For the secrets of these tokens, also as JSON writes them, once or twice.
    pub fn new<'t>(places: impl IntoIterator<Item = (&'t str, &'t [Token])>) -> Search {
        let mut search = Search { parts: HashMap::new(), begins: vec![false; 1 << 20] };
        for (place, tokens) in places {
            for token in tokens {
                for secret in &token.secrets {
                    for form in [secret.clone(), secret.replace('/', "\\/"), secret.replace('/', "\\\\/")] {
                        search.add(&form, &format!("{} in {place}", token.provider));
                    }
                }
            }
        }
        search
    }

    fn add(&mut self, secret: &str, what: &str) {
        assert!(secret.len() >= PART, "{what}: {secret:?} is too short to be looked for");
        for part in secret.as_bytes().windows(PART) {
            self.begins[slot(part)] = true;
            self.parts.insert(part.to_vec(), what.to_owned());
        }
    }

    /// What leaked into `bytes`, which are of `file`.
    pub fn leaks(&self, file: &str, bytes: &[u8]) -> BTreeSet<String> {
        let found = bytes.windows(PART).filter(|part| self.begins[slot(part)]);
        found.filter_map(|part| self.parts.get(part)).map(|what| format!("{file}: {what}")).collect()
    }
}

fn slot(part: &[u8]) -> usize {
    let number = u64::from_le_bytes(part[..WINDOW].try_into().unwrap());
    (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44) as usize
}
