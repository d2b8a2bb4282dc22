//! Chance that is the same on every machine.

use kanban_codex_exec::storage::sha256;

pub struct Chance(u64);

impl Chance {
    pub fn new(seed: &str) -> Chance {
        Chance(u64::from_str_radix(&sha256(seed.as_bytes())[..16], 16).unwrap())
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// `count` characters: `l`etters and digits, `h`ex digits, `c`apitals and digits, `b`ase64 digits, small letters `a`.
    pub fn text(&mut self, kind: char, count: usize) -> String {
        let all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";
        let digits = match kind {
            'l' => &all[..62],
            'h' => &all[..16],
            'b' => all,
            'd' => &all[..10],
            'a' => &all[10..36],
            'c' => &all[36..62],
            other => panic!("no kind of characters is called {other}"),
        };
        (0..count).map(|_| char::from(digits.as_bytes()[self.below(digits.len())])).collect()
    }
}
