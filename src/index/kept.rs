//! What two lists of texts have in common, in the same order. Pure, linear, and at no cost where little differs.

use std::collections::HashMap;

/// So many are looked at first, on both sides, where the lists part.
const NEAR: usize = 8;

/// A piece of both lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub old: usize,
    pub new: usize,
    pub len: usize,
}

/// Pieces that both lists have, by rising place in both. Not always the most: what is moved far is no longer kept.
pub fn kept(old: &[&str], new: &[impl AsRef<str>]) -> Vec<Kept> {
    let mut pieces = Vec::new();
    let mut at = (0, 0);
    loop {
        let (of_old, of_new) = (&old[at.0..], &new[at.1..]);
        let len = of_old.iter().zip(of_new).take_while(|(old, new)| **old == new.as_ref()).count();
        if len > 0 {
            pieces.push(Kept { old: at.0, new: at.1, len });
        }
        let Some((old, new)) = meeting(&of_old[len..], &of_new[len..]) else { return pieces };
        at = (at.0 + len + old, at.1 + len + new);
    }
}

/// The nearest places where the lists are the same again. A search that doubles its reach takes no longer than what it passes
/// over.
fn meeting(old: &[&str], new: &[impl AsRef<str>]) -> Option<(usize, usize)> {
    let mut reach = NEAR;
    loop {
        let (of_old, of_new) = (&old[..reach.min(old.len())], &new[..reach.min(new.len())]);
        let mut places = HashMap::with_capacity(of_old.len());
        for (place, text) in of_old.iter().enumerate() {
            places.entry(*text).or_insert(place);
        }
        let common = of_new.iter().enumerate().filter_map(|(new, text)| Some((*places.get(text.as_ref())?, new)));
        if let Some(nearest) = common.min_by_key(|(old, new)| old + new) {
            return Some(nearest);
        }
        if reach >= old.len().max(new.len()) {
            return None;
        }
        reach *= 2;
    }
}

#[cfg(test)]
mod tests;
