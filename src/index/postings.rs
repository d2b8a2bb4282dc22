//! The tests that have a word, laid out so that adding up is all that is left to do. Pure.
//!
//! Ordinals are taken by windows: the scores of one window stay near the processor, and a place in it fits in 16 bits, so that
//! none can point out of it. In a window those that have the word equally often stand together, the once first: nearly all have it
//! once. As bytes, for each window that has any:
//!
//! ```text
//! windows since the last LEB128 | size of the group * 2 + whether another follows LEB128 | places [u16], rising
//! for each other group, by rising count: count u8 | size * 2 + whether another follows LEB128 | places [u16], rising
//! ```

use std::ops::Range;

use super::store::{Fields, Piece, push_leb128};
use super::vector::share;

/// So many tests are scored at a time.
pub const WINDOW: usize = 1 << 16;

/// Of one window, by place in it.
pub type Scores = [f32; WINDOW];

/// A test that has the word, and how often: what is more than 255 times is 255 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Posting {
    pub test: u32,
    pub count: u8,
}

impl Posting {
    fn window(&self) -> usize {
        self.test as usize / WINDOW
    }
}

/// The tests of a window that have the word equally often.
#[derive(Debug)]
pub struct Group {
    pub window: usize,
    pub count: u8,
    /// Where their places stand.
    bytes: Range<usize>,
}

/// Appends what [`groups`] reads, from postings by rising test.
pub fn encode(postings: &[Posting], out: &mut Vec<u8>) {
    let mut next = 0;
    let mut others: Vec<Posting> = Vec::new();
    for run in postings.chunk_by(|a, b| a.window() == b.window()) {
        push_leb128((run[0].window() - next) as u32, out);
        next = run[0].window() + 1;
        others.clear();
        others.extend(run.iter().filter(|posting| posting.count != 1));
        others.sort_by_key(|posting| posting.count);
        push_size(run.len() - others.len(), !others.is_empty(), out);
        push_places(run.iter().filter(|posting| posting.count == 1), out);
        let mut groups = others.chunk_by(|a, b| a.count == b.count).peekable();
        while let Some(group) = groups.next() {
            out.push(group[0].count);
            push_size(group.len(), groups.peek().is_some(), out);
            push_places(group, out);
        }
    }
}

fn push_size(size: usize, more: bool, out: &mut Vec<u8>) {
    push_leb128((size << 1) as u32 | u32::from(more), out);
}

fn push_places<'p>(group: impl IntoIterator<Item = &'p Posting>, out: &mut Vec<u8>) {
    out.extend(group.into_iter().flat_map(|posting| (posting.test as u16).to_le_bytes()));
}

/// Gives each group that is not empty, by rising window. None where the bytes are no postings of `tests` tests.
pub fn groups(bytes: &[u8], tests: u32, mut each: impl FnMut(Group)) -> Option<()> {
    let mut fields = Fields(bytes);
    let mut window = 0;
    while !fields.0.is_empty() {
        window += fields.leb128()? as usize;
        let (mut count, mut more) = (1, true);
        while more {
            let size = fields.leb128()?;
            more = size & 1 == 1;
            let start = bytes.len() - fields.0.len();
            let (places, rest) = fields.0.split_at_checked((size & !1) as usize)?;
            fields.0 = rest;
            match places.as_chunks().0.last() {
                Some(last) if window * WINDOW + usize::from(u16::from_le_bytes(*last)) < tests as usize => {
                    each(Group { window, count, bytes: start..start + places.len() });
                }
                None if count == 1 && more => {}
                _ => return None,
            }
            if more {
                count = fields.u8()?;
            }
        }
        window += 1;
    }
    Some(())
}

impl Group {
    /// `bytes` are those that the group was read from.
    pub fn places<'b>(&self, bytes: &'b [u8]) -> impl DoubleEndedIterator<Item = u16> + Clone + 'b {
        self.chunks(bytes).iter().map(|place| u16::from_le_bytes(*place))
    }

    fn chunks<'b>(&self, bytes: &'b [u8]) -> &'b [[u8; 2]] {
        bytes[self.bytes.clone()].as_chunks().0
    }

    /// Adds what the word counts in each of these tests to the scores of their window.
    pub fn add(&self, bytes: &[u8], weight: f32, scores: &mut Scores) {
        self.places(bytes).for_each(|place| scores[usize::from(place)] += weight);
    }
}

/// A word's postings, ready to be added up.
#[derive(Debug)]
pub struct Postings {
    bytes: Piece<'static>,
    groups: Vec<Group>,
    /// By window: how many groups stand before its end.
    ends: Vec<usize>,
}

impl Postings {
    /// None where the bytes are no postings of `tests` tests.
    pub fn new(bytes: Piece<'static>, tests: u32) -> Option<Postings> {
        let (mut of_bytes, mut ends) = (Vec::new(), Vec::new());
        groups(&bytes, tests, |group| {
            ends.resize(group.window + 1, of_bytes.len());
            of_bytes.push(group);
            ends[of_bytes[of_bytes.len() - 1].window] = of_bytes.len();
        })?;
        Some(Postings { bytes, groups: of_bytes, ends })
    }

    fn window(&self, window: usize) -> &[Group] {
        let Some(&end) = self.ends.get(window) else { return &[] };
        &self.groups[window.checked_sub(1).map_or(0, |before| self.ends[before])..end]
    }

    /// Adds a word of this weight to the scores of a window.
    pub fn add(&self, weight: f32, window: usize, scores: &mut Scores) {
        for group in self.window(window) {
            group.add(&self.bytes, weight * share(group.count), scores);
        }
    }

    /// What a word of this weight counts in one test.
    pub fn weight(&self, weight: f32, test: u32) -> f32 {
        let has = |group: &&Group| {
            group.chunks(&self.bytes).binary_search_by_key(&(test as u16), |place| u16::from_le_bytes(*place)).is_ok()
        };
        self.window(test as usize / WINDOW).iter().find(has).map_or(0.0, |group| weight * share(group.count))
    }
}

#[cfg(test)]
mod tests;
