//! Patterns that most cards have none of. Pure.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Match, Regex};

/// A regular expression, and what stands in every text that has it: a board has many cards, and looking for a few letters
/// costs a hundredth.
pub(super) struct Pattern {
    pub sign: &'static str,
    pub regex: LazyLock<Option<Regex>>,
}

/// `pattern!(NAME, "sign", r"regex")`: a static [`Pattern`].
macro_rules! pattern {
    ($name:ident, $sign:literal, $regex:literal) => {
        static $name: $crate::provider::markdown::pattern::Pattern = $crate::provider::markdown::pattern::Pattern {
            sign: $sign,
            regex: std::sync::LazyLock::new(|| regex::Regex::new($regex).ok()),
        };
    };
}
pub(super) use pattern;

impl Pattern {
    /// None where `text` can't have it.
    pub fn regex(&self, text: &str) -> Option<&Regex> {
        text.contains(self.sign).then(|| self.regex.as_ref()).flatten()
    }

    /// What stands in the first group of the first match.
    pub fn group<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        // Whether there is a match is told without memory for the groups.
        let regex = self.regex(text).filter(|regex| regex.is_match(text))?;
        regex.captures(text)?.get(1)
    }

    /// The text without its matches.
    pub fn cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.regex(text).map_or(Cow::Borrowed(text), |regex| regex.replace_all(text, ""))
    }
}
