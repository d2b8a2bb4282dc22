//! What a child prints: bounded on disk, bounded in memory, whatever and however much it is.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::redact::{self, Redactor};
use crate::storage::Writer;

/// The least that is kept of a stream's end in memory.
const TAIL: usize = 1 << 20;
/// What a push brings at most, as a rule.
const PIECE: usize = 64 * 1024;

/// What is known of one stream after the end. Redacted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// The end of it, up to 1 MiB; bytes that are not UTF-8 became U+FFFD.
    pub tail: String,
    /// Bytes printed in all.
    pub total: u64,
    /// Bytes that the file leaves out between its head and its tail.
    pub cut: u64,
}

/// Takes a stream's pieces. The head goes to the file as it comes; of the rest the last bytes are held.
pub(super) struct Capture {
    file: Option<File>,
    lost: Option<String>,
    name: String,
    redact: redact::Stream,
    clean: Vec<u8>,
    /// Bytes that the head still takes.
    head: usize,
    ends_line: bool,
    /// Bytes that the file keeps of the end.
    keep_tail: usize,
    tail: Tail,
    total: u64,
    /// Redacted bytes in all, and those of them after the head.
    cleaned: u64,
    beyond: u64,
}

impl Capture {
    /// Keeps at most `keep` bytes in the file. A file that can't be made is told by [`Capture::finish`].
    pub(super) fn new(writer: &Writer, path: &Path, keep: usize, redactor: &Redactor) -> Capture {
        let (file, lost) = match writer.create(path) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let keep_tail = keep / 2;
        Capture {
            file,
            lost,
            name: path.display().to_string(),
            redact: redactor.stream(),
            clean: Vec::new(),
            head: keep - keep_tail,
            ends_line: true,
            keep_tail,
            tail: Tail::new(keep_tail.max(TAIL)),
            total: 0,
            cleaned: 0,
            beyond: 0,
        }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.total += piece.len() as u64;
        let mut clean = std::mem::take(&mut self.clean);
        self.redact.push(piece, &mut clean);
        self.keep(&clean);
        clean.clear();
        self.clean = clean;
    }

    fn keep(&mut self, clean: &[u8]) {
        let head = &clean[..clean.len().min(self.head)];
        self.head -= head.len();
        self.cleaned += clean.len() as u64;
        self.beyond += (clean.len() - head.len()) as u64;
        self.write(head);
        if let Some(last) = head.last() {
            self.ends_line = *last == b'\n';
        }
        self.tail.push(clean);
    }

    /// After the first failure nothing more is tried: a file with a hole in it would be read as whole.
    fn write(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(bytes)
        {
            self.lost = Some(format!("cannot write {}: {error}", self.name));
            self.file = None;
        }
    }

    /// Completes the file. Gives what was captured, and what of the file was lost.
    pub(super) fn finish(mut self) -> (Captured, Option<String>) {
        let mut rest = Vec::new();
        self.redact.finish(&mut rest);
        self.keep(&rest);
        let cut = self.beyond.saturating_sub(self.keep_tail as u64);
        if cut > 0 {
            let line = format!("{}… {cut} bytes cut …\n", if self.ends_line { "" } else { "\n" });
            self.write(line.as_bytes());
        }
        let tail = std::mem::replace(&mut self.tail, Tail::new(0)).bytes();
        let in_file = usize::try_from(self.beyond - cut).unwrap_or(tail.len()).min(tail.len());
        self.write(&tail[tail.len() - in_file..]);
        let captured = Captured { tail: text(&tail, self.cleaned > tail.len() as u64), total: self.total, cut };
        (captured, self.lost)
    }
}

/// The last [`TAIL`] bytes as text. Where more came before them, a character that the cut halved is left out.
fn text(tail: &[u8], more: bool) -> String {
    let mut last = &tail[tail.len().saturating_sub(TAIL)..];
    if more || last.len() < tail.len() {
        let halved = last.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
        last = &last[halved..];
    }
    String::from_utf8_lossy(last).into_owned()
}

/// The last `keep` bytes of what was pushed. Holds at most twice that and one piece.
struct Tail {
    keep: usize,
    bytes: Vec<u8>,
}

impl Tail {
    fn new(keep: usize) -> Tail {
        // Growing by doubling would hold the old bytes beside the new ones; what is not used yet is no memory.
        Tail { keep, bytes: Vec::with_capacity(2 * keep + PIECE) }
    }

    fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        // Only now and then: moving the bytes for each piece would cost more than reading them.
        if self.bytes.len() > 2 * self.keep {
            self.bytes.drain(..self.bytes.len() - self.keep);
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        self.bytes.drain(..self.bytes.len().saturating_sub(self.keep));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `pieces` with `keep`; gives the file and what was captured.
    fn captured(pieces: &[&[u8]], keep: usize) -> (String, Captured) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut capture = Capture::new(&Writer::within(folder.path()), &path, keep, &Redactor::default());
        for piece in pieces {
            capture.push(piece);
        }
        let (captured, lost) = capture.finish();
        assert_eq!(lost, None);
        (String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned(), captured)
    }

    #[test]
    fn a_file_keeps_head_and_tail_and_says_what_was_cut_between() {
        let cases: &[(&[&[u8]], usize, &str, u64)] = &[
            (&[], 8, "", 0),
            (&[b"abc"], 8, "abc", 0),
            (&[b"abcdefgh"], 8, "abcdefgh", 0),
            (&[b"abcd", b"efgh"], 8, "abcdefgh", 0),
            (&[b"abcdefghi"], 8, "abcd\n… 1 bytes cut …\nfghi", 1),
            (&[b"abc\n", b"def", b"ghijkl"], 8, "abc\n… 5 bytes cut …\nijkl", 5),
            (&[b"abc"], 0, "… 3 bytes cut …\n", 3),
            (&[b"a", b"b", b"c", b"d"], 3, "ab\n… 1 bytes cut …\nd", 1),
        ];
        for (pieces, keep, file, cut) in cases {
            let (written, captured) = captured(pieces, *keep);
            let all = pieces.concat();
            assert_eq!(written, *file, "{pieces:?} with {keep}");
            assert_eq!(captured.tail, String::from_utf8_lossy(&all), "{pieces:?} with {keep}");
            assert_eq!((captured.total, captured.cut), (all.len() as u64, *cut), "{pieces:?} with {keep}");
        }
    }

    #[test]
    fn the_text_is_the_end_of_a_long_stream_and_begins_with_a_whole_character() {
        let piece = "é".repeat(TAIL);
        let (_, captured) = captured(&[b"x", piece.as_bytes(), b"y"], 10);
        assert_eq!(captured.tail.len(), TAIL - 1);
        assert!(captured.tail.starts_with('é') && captured.tail.ends_with("éy"));
    }

    #[test]
    fn a_file_that_cannot_be_written_loses_only_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::within(folder.path());
        let missing = folder.path().join("missing/out");
        // A device that is always full, where there is one.
        for path in [missing.as_path(), Path::new("/dev/full")] {
            let writer = if path == missing { writer.clone() } else { Writer::within(Path::new("/dev")) };
            let mut capture = Capture::new(&writer, path, 100, &Redactor::default());
            capture.push(b"one ");
            capture.push(b"two");
            let (captured, lost) = capture.finish();
            assert_eq!(captured.tail, "one two");
            assert!(lost.unwrap().contains(&path.display().to_string()));
        }
    }
}
