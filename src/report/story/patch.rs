//! What an attempt changed, as far as a report shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The beginning of a patch.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    pub text: String,
    /// Bytes that are left out.
    pub left_out: u64,
}

impl Patch {
    /// `bytes` is the beginning of a patch of `size` bytes; where that is not all, it is cut after its last whole line.
    pub fn of(bytes: &[u8], size: u64) -> Option<Patch> {
        let whole = bytes.len() as u64 >= size;
        let shown = match bytes.iter().rposition(|byte| *byte == b'\n') {
            _ if whole => bytes.len(),
            Some(end) => end + 1,
            None => 0,
        };
        let text = String::from_utf8_lossy(&bytes[..shown]).into_owned();
        let left_out = size.saturating_sub(shown as u64);
        (size > 0).then_some(Patch { text, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::Patch;

    #[test]
    fn a_patch_that_is_too_long_is_cut_between_lines_and_says_by_how_much() {
        let patch = |text: &str, left_out| Some(Patch { text: text.to_owned(), left_out });
        for (bytes, size, expected) in [
            (&b"+a\n+b\n"[..], 6, patch("+a\n+b\n", 0)),
            (b"+a\n+b", 5, patch("+a\n+b", 0)),
            (b"+a\n+b", 900, patch("+a\n", 897)),
            (b"+abc", 900, patch("", 900)),
            (b"+\xff\n", 3, patch("+\u{fffd}\n", 0)),
            (b"", 0, None),
        ] {
            assert_eq!(Patch::of(bytes, size), expected, "{bytes:?} of {size}");
        }
    }
}
