//! The names of git's objects.

use std::fmt;

use crate::storage::hex;

/// The hash of what an object holds: a SHA-1 or a SHA-256. Written as hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

impl Id {
    pub fn new(bytes: &[u8]) -> Option<Id> {
        match bytes.len() {
            20 => bytes.try_into().ok().map(Id::Sha1),
            _ => bytes.try_into().ok().map(Id::Sha256),
        }
    }

    /// From hex.
    pub fn parse(digits: &str) -> Option<Id> {
        let mut bytes = [0; 32];
        let length = digits.len() / 2;
        for (byte, pair) in bytes.get_mut(..length)?.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? << 4 | low?).ok()?;
        }
        digits.len().is_multiple_of(2).then(|| Id::new(&bytes[..length])).flatten()
    }

    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Id::Sha1(bytes) => bytes,
            Id::Sha256(bytes) => bytes,
        }
    }

    /// Of the hex.
    pub fn digits(&self) -> usize {
        self.as_bytes().len() * 2
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_hex_of_40_or_64_digits() {
        for digits in ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", &"0f".repeat(32)] {
            let id = Id::parse(digits).unwrap();
            assert_eq!((id.to_string().as_str(), id.digits()), (digits, digits.len()));
        }
        for digits in ["", "0f", &"0".repeat(41), &"+f".repeat(20), &"é".repeat(20), &"0".repeat(66)] {
            assert_eq!(Id::parse(digits), None, "{digits}");
        }
    }
}
