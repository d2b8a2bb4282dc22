//! The words of an index, by rising bucket, each with its tests; and the lengths of the tests, which follow from them. Pure.

use std::ops::Range;

use super::postings::{Posting, WINDOW, encode, groups};
use super::store::Fields;
use super::token::WORD_BITS;
use super::vector::{idf, length_code, share, test_weight};

/// Bytes of a term.
pub const TERM: usize = 16;

/// A word that some test has.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub bucket: u32,
    /// How many tests have it.
    pub frequency: u32,
    /// Of its postings.
    pub bytes: Range<u64>,
}

/// Reads terms; the postings of the first start at 0.
pub fn entries(terms: &[u8]) -> impl Iterator<Item = Entry> {
    let (mut fields, mut start) = (Fields(terms), 0);
    std::iter::from_fn(move || {
        let (bucket, frequency, end) = (fields.u32()?, fields.u32()?, fields.u64()?);
        Some(Entry { bucket, frequency, bytes: std::mem::replace(&mut start, end)..end })
    })
}

/// What is written of them.
#[derive(Debug, Default)]
pub struct Terms {
    pub terms: Vec<u8>,
    pub postings: Vec<u8>,
}

impl Terms {
    /// For about so many bytes of postings.
    pub fn with_capacity(bytes: usize) -> Terms {
        Terms { terms: Vec::new(), postings: Vec::with_capacity(bytes) }
    }

    /// The next word, with its tests, rising; a word that none has is none.
    pub fn push(&mut self, bucket: u32, postings: &[Posting]) {
        if !postings.is_empty() {
            encode(postings, &mut self.postings);
            self.end(bucket, postings.len() as u32);
        }
    }

    /// The next word, with the bytes of its postings.
    pub fn copy(&mut self, bucket: u32, frequency: u32, postings: &[u8]) {
        self.postings.extend_from_slice(postings);
        self.end(bucket, frequency);
    }

    fn end(&mut self, bucket: u32, frequency: u32) {
        self.terms.extend(bucket.to_le_bytes());
        self.terms.extend(frequency.to_le_bytes());
        self.terms.extend((self.postings.len() as u64).to_le_bytes());
    }

    /// Of how many upper bits of a bucket slots are made, and the slots. There are about as many as terms.
    pub fn slots(&self) -> (u32, Vec<u8>) {
        let distinct = self.terms.len() / TERM;
        let slot_bits = distinct.next_power_of_two().ilog2().min(WORD_BITS);
        let mut slots = Vec::with_capacity(4 * ((1 << slot_bits) + 1));
        let mut slot = 0;
        for (place, term) in (0_u32..).zip(entries(&self.terms)) {
            while slot <= term.bucket >> (WORD_BITS - slot_bits) {
                slots.extend(place.to_le_bytes());
                slot += 1;
            }
        }
        while slot <= 1 << slot_bits {
            slots.extend((distinct as u32).to_le_bytes());
            slot += 1;
        }
        (slot_bits, slots)
    }

    /// The codes of the tests' lengths. Added up by rising bucket: whoever knows the same words finds the same bytes.
    pub fn lengths(&self, tests: u32) -> Vec<u8> {
        let mut squares = vec![0.0; (tests as usize).next_multiple_of(WINDOW)];
        let windows = squares.as_chunks_mut::<WINDOW>().0;
        for term in entries(&self.terms) {
            let bytes = &self.postings[term.bytes.start as usize..term.bytes.end as usize];
            let once = test_weight(1.0, idf(tests, term.frequency));
            groups(bytes, tests, |group| {
                let weight = once * share(group.count);
                group.add(bytes, weight * weight, &mut windows[group.window]);
            });
        }
        squares[..tests as usize].iter().map(|squares| length_code(squares.sqrt())).collect()
    }
}
