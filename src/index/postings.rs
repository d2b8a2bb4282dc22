//! The tests that have a word, laid out so that adding up is all that is left to do. Pure.
//!
//! Ordinals are taken by windows: the scores of one window stay near the processor, and a place in it fits in 16 bits, so that
//! none can point out of it.

use super::store::Fields;
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

#[derive(Debug, Default)]
pub struct Postings {
    /// By window: how many stand before its end.
    ends: Vec<usize>,
    /// Places in their windows, by rising ordinal.
    places: Vec<u16>,
    codes: Vec<u8>,
}

impl Postings {
    /// Of an index's bytes; None where they are not of `tests` tests.
    pub fn decode(bytes: &[u8], tests: u32) -> Option<Postings> {
        let (mut ends, mut places, mut codes) = (Vec::new(), Vec::new(), Vec::new());
        places.reserve(bytes.len() / 2);
        codes.reserve(bytes.len() / 2);
        let mut fields = Fields(bytes);
        let mut ordinal = 0_u32;
        while let Some(distance) = fields.leb128() {
            ordinal = ordinal.checked_add(distance).filter(|ordinal| *ordinal < tests)?;
            let window = ordinal as usize / WINDOW;
            if window > ends.len() {
                ends.resize(window, places.len());
            }
            places.push((ordinal as usize % WINDOW) as u16);
            codes.push(fields.u8()?);
        }
        ends.push(places.len());
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
