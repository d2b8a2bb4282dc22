//! An index of some texts → the bytes of one of others, where most are the same: only what differs is read and counted. Pure.

use std::collections::BTreeSet;

use super::build::{build, pack};
use super::count::Counted;
use super::frequencies::frequency;
use super::kept::{Kept, kept};
use super::postings::{Posting, WINDOW, groups};
use super::store::{Section, Store, TEXT_END, Unusable, text_end};
use super::terms::{Entry, Terms, entries};

/// No place in the new list.
const GONE: u32 = u32::MAX;

/// What [`build`] makes of these texts and this hash, byte for byte.
pub fn update(store: &Store, texts: &[impl AsRef<str> + Sync], source_sha256: &str) -> Vec<u8> {
    // An index that can't be read is no reason not to have one.
    let updated = updated(store, texts, source_sha256).ok().flatten();
    updated.unwrap_or_else(|| build(texts, source_sha256))
}

/// None where most tests are others, and building anew is faster.
fn updated(store: &Store, texts: &[impl AsRef<str>], source_sha256: &str) -> Result<Option<Vec<u8>>, Unusable> {
    let whole = |section| store.read(section, 0..store.section_len(section));
    let (ends, bytes) = (whole(Section::TextEnds)?, whole(Section::Texts)?);
    let old = split(&ends, std::str::from_utf8(&bytes).map_err(Unusable::new)?).ok_or_else(damaged)?;
    let pieces = kept(&old, texts);
    let same: usize = pieces.iter().map(|piece| piece.len).sum();
    if 2 * same < old.len().max(texts.len()) {
        return Ok(None);
    }
    let change = Change::of(&old, texts, &pieces);
    let trigrams = change.trigrams(&whole(Section::Trigrams)?).ok_or_else(damaged)?;
    let terms = change.terms(&whole(Section::Terms)?, &whole(Section::Postings)?).ok_or_else(damaged)?;
    Ok(Some(pack(texts, source_sha256, &trigrams, &terms)))
}

fn split<'t>(ends: &[u8], texts: &'t str) -> Option<Vec<&'t str>> {
    let mut start = 0;
    let ends = ends.as_chunks::<TEXT_END>().0.iter().map(|end| text_end(*end) as usize);
    ends.map(|end| texts.get(std::mem::replace(&mut start, end)..end)).collect()
}

fn damaged() -> Unusable {
    Unusable::new("its sections do not fit together")
}

/// How tests became others.
struct Change {
    /// By old ordinal: the new one.
    places: Vec<u32>,
    /// No test that was kept has another ordinal.
    unmoved: bool,
    gone: Counted,
    added: Counted,
}

impl Change {
    fn of(old: &[&str], new: &[impl AsRef<str>], kept: &[Kept]) -> Change {
        let mut places = vec![GONE; old.len()];
        let mut is_new = vec![true; new.len()];
        for piece in kept {
            let of_old = &mut places[piece.old..piece.old + piece.len];
            of_old.iter_mut().zip(piece.new as u32..).for_each(|(to, place)| *to = place);
            is_new[piece.new..piece.new + piece.len].fill(false);
        }
        let gone = (0..).zip(old).filter(|(test, _)| places[*test as usize] == GONE);
        let added = (0..).zip(new).filter(|(test, _)| is_new[*test as usize]);
        let (gone, added) = (Counted::of(gone), Counted::of(added));
        Change { unmoved: kept.iter().all(|piece| piece.old == piece.new), places, gone, added }
    }

    /// How many tests have each trigram now.
    fn trigrams(&self, old: &[u8]) -> Option<Vec<u32>> {
        let differences = self.gone.trigrams.iter().zip(&self.added.trigrams);
        let now = |(bucket, (gone, added)): (u16, (&u32, &u32))| {
            frequency(old, bucket).checked_sub(*gone)?.checked_add(*added)
        };
        (0..=u16::MAX).zip(differences).map(now).collect()
    }

    /// The words now.
    fn terms(&self, old: &[u8], postings: &[u8]) -> Option<Terms> {
        let mut added = self.added.words.clone();
        added.sort_by_key(|(bucket, _)| *bucket);
        let mut added = added.chunk_by(|a, b| a.0 == b.0).peekable();
        // Behind the last that changed, all others.
        let changed = self.gone.words.iter().chain(&self.added.words).map(|(bucket, _)| *bucket);
        let changed: BTreeSet<u32> = changed.chain([u32::MAX]).collect();
        let bytes = |term: &Entry| postings.get(term.bytes.start as usize..term.bytes.end as usize);
        let mut old = entries(old).peekable();
        let (mut terms, mut run) = (Terms::with_capacity(postings.len()), Vec::new());
        for bucket in changed {
            while let Some(term) = old.next_if(|term| term.bucket < bucket) {
                if self.unmoved {
                    terms.copy(term.bucket, term.frequency, bytes(&term)?);
                } else {
                    run.clear();
                    self.move_postings(bytes(&term)?, &mut run)?;
                    terms.push(term.bucket, &run);
                }
            }
            run.clear();
            if let Some(term) = old.next_if(|term| term.bucket == bucket) {
                self.move_postings(bytes(&term)?, &mut run)?;
            }
            run.extend(added.next_if(|word| word[0].0 == bucket).into_iter().flatten().map(|(_, posting)| *posting));
            run.sort_by_key(|posting| posting.test);
            terms.push(bucket, &run);
        }
        Some(terms)
    }

    /// A word's postings in tests that are kept, where these are now, by rising test.
    fn move_postings(&self, bytes: &[u8], out: &mut Vec<Posting>) -> Option<()> {
        groups(bytes, self.places.len() as u32, |group| {
            let places = self.places.get(group.window * WINDOW..).unwrap_or_default();
            let moved = group.places(bytes).filter_map(|place| places.get(usize::from(place)).copied());
            out.extend(moved.filter(|test| *test != GONE).map(|test| Posting { test, count: group.count }));
        })?;
        // The groups of a window lie side by side.
        out.sort_by_key(|posting| posting.test);
        Some(())
    }
}

#[cfg(test)]
mod tests;
