//! The tests that have a word, laid out so that adding up is all that is left to do. Pure.
//!
//! Ordinals are taken by windows: the scores of one window stay near the processor, and a place in it fits in 16 bits, so that
//! none can point out of it. As bytes, for each window that has any:
//!
//! ```text
//! windows since the last LEB128 | postings LEB128 | their places [u16], rising | their weight codes [u8]
//! ```

use super::store::{Fields, push_leb128};
use super::vector::weight_of_code;

/// So many tests are scored at a time.
pub const WINDOW: usize = 1 << 16;

/// Of one window, by place in it.
pub type Scores = [f32; WINDOW];

/// By code.
const WEIGHTS: [f32; 256] = {
    let mut weights = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        weights[code] = weight_of_code(code as u8);
        code += 1;
    }
    weights
};

#[derive(Debug)]
pub struct Postings {
    /// By window: how many stand before its end.
    ends: Vec<usize>,
    /// Places in their windows, by rising ordinal.
    places: Vec<u16>,
    codes: Vec<u8>,
}

/// Appends what [`Postings::decode`] reads, from ordinals, rising, with their weight codes.
pub fn encode(postings: &[(u32, u8)], out: &mut Vec<u8>) {
    let window = |(ordinal, _): &(u32, u8)| ordinal / WINDOW as u32;
    let mut next = 0;
    for run in postings.chunk_by(|a, b| window(a) == window(b)) {
        push_leb128(window(&run[0]) - next, out);
        push_leb128(run.len() as u32, out);
        out.extend(run.iter().flat_map(|(ordinal, _)| (*ordinal as u16).to_le_bytes()));
        out.extend(run.iter().map(|(_, code)| code));
        next = window(&run[0]) + 1;
    }
}

impl Postings {
    /// None where the bytes are no postings of `tests` tests.
    pub fn decode(bytes: &[u8], tests: u32) -> Option<Postings> {
        let most = bytes.len() / 3;
        let (mut ends, mut places, mut codes) = (Vec::new(), Vec::with_capacity(most), Vec::with_capacity(most));
        let mut fields = Fields(bytes);
        while !fields.0.is_empty() {
            let window = ends.len() + fields.leb128()? as usize;
            let count = fields.leb128()? as usize;
            let (of_places, of_codes);
            (of_places, fields.0) = fields.0.split_at_checked(2 * count)?;
            (of_codes, fields.0) = fields.0.split_at_checked(count)?;
            let of_places = of_places.as_chunks().0.iter().map(|place| u16::from_le_bytes(*place));
            if window * WINDOW + usize::from(of_places.clone().next_back()?) >= tests as usize {
                return None;
            }
            ends.resize(window, places.len());
            places.extend(of_places);
            codes.extend_from_slice(of_codes);
            ends.push(places.len());
        }
        Some(Postings { ends, places, codes })
    }

    fn window(&self, window: usize) -> (&[u16], &[u8]) {
        let Some(&end) = self.ends.get(window) else { return (&[], &[]) };
        let range = window.checked_sub(1).map_or(0, |before| self.ends[before])..end;
        (&self.places[range.clone()], &self.codes[range])
    }

    /// Adds a word of this weight to the scores of a window.
    pub fn add(&self, weight: f32, window: usize, scores: &mut Scores) {
        let (places, codes) = self.window(window);
        for (&place, &code) in places.iter().zip(codes) {
            scores[usize::from(place)] += weight * WEIGHTS[usize::from(code)];
        }
    }

    /// What the word counts in one test.
    pub fn weight(&self, ordinal: u32) -> f32 {
        let (places, codes) = self.window(ordinal as usize / WINDOW);
        places.binary_search(&(ordinal as u16)).map_or(0.0, |at| WEIGHTS[usize::from(codes[at])])
    }
}

#[cfg(test)]
mod tests;
