//! Redaction: however a text is cut into pieces, it comes out the same, and no secret that stood in it does.

use std::sync::LazyLock;

use kanban_codex_exec::redact::Redactor;
use regex::Regex;

/// Values of variables, in their order of [`planted`].
const VALUES: [(&str, &str); 4] = [
    ("A_TOKEN", "s3cret-value"),
    ("B_TOKEN", "multi\nline"),
    ("C_TOKEN", "line-2]x"),
    ("DB_PASSWORD", "p\"a\\s/s\tw<ö>1"),
];

/// No token is that long, in bytes.
const LONGEST_WORD: usize = 8 << 10;

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(VALUES.map(|(name, value)| (name.to_owned(), value.to_owned()))));

/// How many secrets were taken out.
pub fn holds(data: &[u8]) -> usize {
    let bytes = planted(data);
    let whole = streamed([&bytes[..]]);
    for (name, value) in VALUES {
        assert!(!contains(&whole, value.as_bytes()), "{name} survives in {:?} of {:?}", shown(&whole), shown(&bytes));
    }
    for token in tokens() {
        assert!(!contains(&whole, token.as_bytes()), "{token} survives in {:?} of {:?}", shown(&whole), shown(&bytes));
    }
    // Of a word that is longer than what is looked at again, what is masked may take its neighbours along.
    let longest = bytes.split(|byte| !(byte.is_ascii_alphanumeric() || b"_-.+/=~%".contains(byte))).map(<[u8]>::len);
    if longest.max() > Some(LONGEST_WORD) {
        return 0;
    }
    for size in [1, 2, 3, 7, 40, 1000, 5000] {
        // Small pieces of a long text take long, and are no other than those of a short one.
        if bytes.len() / size < 20_000 {
            let pieces = streamed(bytes.chunks(size));
            assert!(unlabelled(&pieces) == unlabelled(&whole), "pieces of {size} differ: {:?}", shown(&bytes));
        }
    }
    assert!(streamed(bytes.split_inclusive(|byte| *byte == b'\n')) == whole, "lines differ: {:?}", shown(&bytes));
    let Ok(text) = std::str::from_utf8(&bytes) else { return 0 };
    let once = REDACTOR.text(text);
    assert!(once.as_bytes() == whole, "a text and its stream differ: {once:?} {:?} of {text:?}", shown(&whole));
    assert_eq!(REDACTOR.text(&once), once, "a second time changes {text:?}");
    once.matches("[REDACTED:").count().saturating_sub(text.matches("[REDACTED:").count())
}

/// A key's label tells nothing: whether it goes with the key, and what stands between them, may depend on the cut, where a
/// token ends at it or one label follows another.
fn unlabelled(bytes: &[u8]) -> String {
    static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"-----BEGIN PRIVATE KEY-----[^<>(){}]{0,512}?(\[REDACTED:private-key\])").unwrap()
    });
    let text = String::from_utf8_lossy(bytes);
    LABELLED.replace_all(&text, "$1").replace(&["-----BEG", "IN PRIVATE KEY-----"].concat(), "")
}

/// The input, where some control characters stand for secrets, parts of them, and what may stand around.
fn planted(data: &[u8]) -> Vec<u8> {
    let [github, aws] = tokens();
    let label = ["-----BEG", "IN PRIVATE KEY-----"].concat();
    let end = ["-----E", "ND PRIVATE KEY-----"].concat();
    let mut bytes = Vec::new();
    for byte in data {
        let plant: &str = match byte {
            0x01 => VALUES[0].1,
            0x02 => VALUES[1].1,
            0x03 => VALUES[2].1,
            0x04 => VALUES[3].1,
            0x05 => &github,
            0x06 => &aws,
            0x07 => &label,
            0x08 => &end,
            0x0b => &letters(40),
            0x0c => "Authorization: Bearer ",
            0x0e => "[REDACTED:A_TOKEN]",
            0x0f => "s3cret-",
            0x10 => "multi\n",
            0x11 => &letters(17_000),
            0x12 => &"word, ".repeat(3000),
            _ => {
                bytes.push(*byte);
                continue;
            }
        };
        // A few of them are enough to fill a line longer than any that is held back.
        if bytes.len() < 200_000 {
            bytes.extend_from_slice(plant.as_bytes());
        }
    }
    bytes
}

/// Put together here, so that no scanner takes this file for a leak. The second one is known at the edge of a word only.
fn tokens() -> [String; 2] {
    [["gh", "p_", &letters(36)].concat(), [" AK", "IA", &"Q7ZK2MB4".repeat(2)].concat()]
}

fn letters(count: usize) -> String {
    "a8Zk3QmB7xT2Lw9YdV4n".chars().cycle().take(count).collect()
}

fn streamed<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    let (mut stream, mut out) = (REDACTOR.stream(), Vec::new());
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    stream.finish(&mut out);
    out
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
