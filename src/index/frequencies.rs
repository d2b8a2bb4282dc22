//! How many tests have each trigram, in little more than a byte for each. Pure.
//!
//! ```text
//! for each bucket one byte: the tests, or 255 for more than 254
//! for each bucket of more, rising: bucket u16 | tests u32
//! ```

use super::token::TRIGRAM_BUCKETS;

/// The byte of those that have their number elsewhere.
const LARGE: u8 = u8::MAX;
const LARGE_SIZE: usize = 6;

/// By bucket.
pub fn encode(frequencies: &[u32]) -> Vec<u8> {
    let small = |&frequency: &u32| u8::try_from(frequency).unwrap_or(LARGE);
    let mut out: Vec<u8> = frequencies.iter().map(small).collect();
    for (bucket, frequency) in (0..=u16::MAX).zip(frequencies).filter(|(_, frequency)| small(frequency) == LARGE) {
        out.extend(bucket.to_le_bytes());
        out.extend(frequency.to_le_bytes());
    }
    out
}

/// Whether they are of the right size to be read.
pub fn fit(bytes: &[u8]) -> bool {
    bytes.len().checked_sub(TRIGRAM_BUCKETS).is_some_and(|large| large.is_multiple_of(LARGE_SIZE))
}

/// Of one bucket, from bytes that [`fit`].
pub fn frequency(bytes: &[u8], bucket: u16) -> u32 {
    let (small, large) = bytes.split_at(TRIGRAM_BUCKETS);
    match small[usize::from(bucket)] {
        LARGE => {
            let large = large.as_chunks::<LARGE_SIZE>().0;
            let at = large.binary_search_by_key(&bucket, |[low, high, ..]| u16::from_le_bytes([*low, *high]));
            at.map_or(u32::from(LARGE), |at| {
                let [_, _, number @ ..] = large[at];
                u32::from_le_bytes(number)
            })
        }
        small => u32::from(small),
    }
}

#[cfg(test)]
mod tests;
