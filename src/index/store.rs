//! The container of the index: sections of bytes in one file, read in place, each block checked before it is believed.
//!
//! ```text
//! magic 8 | version u32 | numbers [u32; 2] | section ends [u64; 8] | checksum of the checksums u64 | checksum of the above u64
//! the sections, end to end
//! checksums [u64], one for each 4 KiB of the sections
//! ```
//!
//! Little endian. A file that is torn, truncated, flipped in one bit, foreign or of another version is [`Unusable`]: it is
//! never misread, and the answer is always to build it anew. Nothing is parsed on opening but the header and the checksums
//! (2 bytes for each KiB of index).

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::ops::{Deref, Range};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use crate::storage;

const MAGIC: &[u8; 8] = b"kceindex";
/// Changes with the layout, and with everything that decides what is counted where: splitting, hashing, the lengths of tests.
/// Other weights of words that leave the lengths alone need no new one.
const VERSION: u32 = 5;
/// Bytes of an end in [`Section::TextEnds`].
pub const TEXT_END: usize = 5;
const NUMBERS: usize = 2;
const SECTIONS: usize = 8;
const HEADER: usize = 8 + 4 + 4 * NUMBERS + 8 * SECTIONS + 8 + 8;
const BLOCK: u64 = 4096;
/// Blocks whose places in memory are made together.
const GROUP: usize = 64;

/// The parts of an index file, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The SHA-256 of the tests file, as text.
    Source,
    /// How many tests have each trigram bucket, as [`super::frequencies`] says.
    Trigrams,
    /// For each slot (the upper bits of a word bucket) u32: how many terms stand before it; one more at the end.
    Slots,
    /// By rising bucket: bucket u32, tests that have it u32, end of its postings u64.
    Terms,
    /// For each term, as [`super::postings`] says.
    Postings,
    /// For each test one byte: the length of its words' vector, as [`super::vector::length_code`] says.
    Lengths,
    /// For each test [`TEXT_END`] bytes: where its text ends.
    TextEnds,
    /// What similarity reads of the tests, end to end, UTF-8.
    Texts,
}

/// The index can't be used as it is: it has to be built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    pub reason: String,
}

impl Unusable {
    pub fn new(reason: impl fmt::Display) -> Unusable {
        Unusable { reason: reason.to_string() }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the index is unusable, build it anew: {}", self.reason)
    }
}

impl std::error::Error for Unusable {}

/// Makes the bytes of a file, section by section, in their order.
pub struct Packer {
    file: Vec<u8>,
    ends: [u64; SECTIONS],
}

impl Default for Packer {
    fn default() -> Packer {
        Packer { file: vec![0; HEADER], ends: [0; SECTIONS] }
    }
}

impl Packer {
    /// One section, whose pieces are copied end to end.
    pub fn section(&mut self, section: Section, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        pieces.into_iter().for_each(|piece| self.file.extend_from_slice(piece.as_ref()));
        self.ends[section as usize..].fill((self.file.len() - HEADER) as u64);
    }

    pub fn finish(self, numbers: [u32; NUMBERS]) -> Vec<u8> {
        let Packer { mut file, ends } = self;
        let checksums: Vec<u8> =
            file[HEADER..].chunks(BLOCK as usize).flat_map(|block| checksum(block).to_le_bytes()).collect();
        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        header.extend(ends.iter().flat_map(|end| end.to_le_bytes()));
        header.extend(checksum(&checksums).to_le_bytes());
        header.extend(checksum(&header).to_le_bytes());
        file[..HEADER].copy_from_slice(&header);
        file.extend(checksums);
        file
    }
}

/// Eight bytes at a time, in four rows side by side: a step waits for the one before it. Each step is a bijection of the state,
/// so that a damage to one such word never passes unseen, and any other with 2^-64. It guards against accidents: whoever means
/// harm can write the whole file.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |state: u64, word: u64| (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut rows = [bytes.len() as u64; 4];
    let mut take = |line: &[u8; 32]| {
        let words = line.as_chunks().0;
        rows.iter_mut().zip(words).for_each(|(row, word)| *row = step(*row, u64::from_le_bytes(*word)));
    };
    let (lines, rest) = bytes.as_chunks();
    lines.iter().for_each(&mut take);
    let mut last = [0; 32];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    take(&last);
    let state = rows.into_iter().fold(0, step);
    state ^ (state >> 32)
}

#[derive(Debug)]
enum Bytes {
    File(File),
    Memory(Vec<u8>),
}

impl Bytes {
    fn len(&self) -> Result<u64, Unusable> {
        match self {
            Bytes::File(file) => file.metadata().map(|data| data.len()).map_err(Unusable::new),
            Bytes::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Unusable> {
        match self {
            Bytes::File(file) => {
                let mut bytes = vec![0; (range.end - range.start) as usize];
                file.read_exact_at(&mut bytes, range.start).map_err(Unusable::new)?;
                Ok(bytes)
            }
            Bytes::Memory(bytes) => {
                let piece = bytes.get(range.start as usize..range.end as usize);
                piece.map(<[u8]>::to_vec).ok_or_else(|| Unusable::new("it is truncated"))
            }
        }
    }
}

/// A part of some blocks: a large one isn't copied once more.
#[derive(Debug)]
pub struct Piece<'s> {
    blocks: Cow<'s, [u8]>,
    range: Range<usize>,
}

impl Deref for Piece<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.blocks[self.range.clone()]
    }
}

impl Piece<'_> {
    /// To be kept beside the store. Of remembered blocks, the part alone is copied.
    pub fn detached(self) -> Piece<'static> {
        match self.blocks {
            Cow::Borrowed(blocks) => {
                Piece { range: 0..self.range.len(), blocks: Cow::Owned(blocks[self.range].to_vec()) }
            }
            Cow::Owned(blocks) => Piece { blocks: Cow::Owned(blocks), range: self.range },
        }
    }
}

/// An open index file.
#[derive(Debug)]
pub struct Store {
    bytes: Bytes,
    pub numbers: [u32; NUMBERS],
    /// From the start of the sections.
    ends: [u64; SECTIONS],
    /// As they stand in the file.
    checksums: Vec<u8>,
    /// What was read and found sound, by block.
    blocks: Vec<OnceLock<Group>>,
}

type Group = [OnceLock<Box<[u8]>>; GROUP];

impl Store {
    pub fn open(path: &Path) -> Result<Store, Unusable> {
        Store::read_header(Bytes::File(storage::open(path).map_err(Unusable::new)?))
    }

    pub fn from_bytes(bytes: Vec<u8>) -> Result<Store, Unusable> {
        Store::read_header(Bytes::Memory(bytes))
    }

    fn read_header(bytes: Bytes) -> Result<Store, Unusable> {
        let length = bytes.len()?;
        if length < HEADER as u64 {
            return Err(Unusable::new("it is truncated"));
        }
        let header = bytes.read(0..HEADER as u64)?;
        if !header.starts_with(MAGIC) {
            return Err(Unusable::new("it is no index of this program"));
        }
        let fault = || Unusable::new("its header is damaged");
        let mut fields = Fields(&header[MAGIC.len()..]);
        let version = fields.u32().ok_or_else(fault)?;
        if version != VERSION {
            return Err(Unusable::new(format_args!("it has version {version}, this program reads {VERSION}")));
        }
        let mut numbers = [0; NUMBERS];
        for number in &mut numbers {
            *number = fields.u32().ok_or_else(fault)?;
        }
        let mut ends = [0; SECTIONS];
        for end in &mut ends {
            *end = fields.u64().ok_or_else(fault)?;
        }
        let [of_checksums, of_header] = [fields.u64().ok_or_else(fault)?, fields.u64().ok_or_else(fault)?];
        if checksum(&header[..HEADER - 8]) != of_header || !ends.is_sorted() {
            return Err(fault());
        }
        let blocks = ends[SECTIONS - 1].div_ceil(BLOCK);
        let body_end = ends[SECTIONS - 1].checked_add(HEADER as u64).ok_or_else(fault)?;
        if body_end.checked_add(8 * blocks) != Some(length) {
            return Err(Unusable::new(format_args!("its length of {length} bytes is not what its header says")));
        }
        let checksums = bytes.read(body_end..length)?;
        if checksum(&checksums) != of_checksums {
            return Err(Unusable::new("its checksums are damaged"));
        }
        let blocks = (0..blocks.div_ceil(GROUP as u64)).map(|_| OnceLock::new()).collect();
        Ok(Store { bytes, numbers, ends, checksums, blocks })
    }

    pub fn section_len(&self, section: Section) -> u64 {
        let range = self.range(section);
        range.end - range.start
    }

    fn range(&self, section: Section) -> Range<u64> {
        let at = section as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start..self.ends[at]
    }

    /// These bytes of a section, checked. What lies in one block is remembered with all of the block; a longer piece is left to
    /// whoever wants it again.
    pub fn read(&self, section: Section, range: Range<u64>) -> Result<Piece<'_>, Unusable> {
        let whole = self.range(section);
        if range.start > range.end || range.end > whole.end - whole.start {
            return Err(Unusable::new(format_args!("{range:?} points out of {section:?}")));
        }
        if range.is_empty() {
            return Ok(Piece { blocks: Cow::Borrowed(&[]), range: 0..0 });
        }
        let (start, end) = (whole.start + range.start, whole.start + range.end);
        let (first, past) = ((start / BLOCK) as usize, end.div_ceil(BLOCK) as usize);
        let place = |place: u64| (place - first as u64 * BLOCK) as usize;
        let range = place(start)..place(end);
        if past - first > 1 {
            return Ok(Piece { blocks: Cow::Owned(self.load(section, first..past)?), range });
        }
        let group = self.blocks[first / GROUP].get_or_init(|| [const { OnceLock::new() }; GROUP]);
        let known = &group[first % GROUP];
        let block = match known.get() {
            Some(block) => block,
            None => {
                let bytes = self.load(section, first..past)?;
                known.get_or_init(|| bytes.into())
            }
        };
        Ok(Piece { blocks: Cow::Borrowed(block), range })
    }

    /// Reads and checks blocks.
    fn load(&self, section: Section, blocks: Range<usize>) -> Result<Vec<u8>, Unusable> {
        let end = (blocks.end as u64 * BLOCK).min(self.ends[SECTIONS - 1]);
        let bytes = self.bytes.read(HEADER as u64 + blocks.start as u64 * BLOCK..HEADER as u64 + end)?;
        let expected = &self.checksums.as_chunks::<8>().0[blocks];
        for (expected, piece) in expected.iter().zip(bytes.chunks(BLOCK as usize)) {
            if *expected != checksum(piece).to_le_bytes() {
                return Err(Unusable::new(format_args!("{section:?} is damaged")));
            }
        }
        Ok(bytes)
    }
}

/// Takes little-endian numbers from the front of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'b>(pub &'b [u8]);

impl Fields<'_> {
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub fn u32(&mut self) -> Option<u32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*first))
    }

    pub fn u64(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*first))
    }

    pub fn text_end(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(text_end(*first))
    }

    /// LEB128, at most 32 bits.
    pub fn leb128(&mut self) -> Option<u32> {
        // Most numbers are so short.
        if let [byte, rest @ ..] = self.0
            && *byte < 0x80
        {
            self.0 = rest;
            return Some(u32::from(*byte));
        }
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }
}

/// An end in [`Section::TextEnds`].
pub fn text_end(bytes: [u8; TEXT_END]) -> u64 {
    bytes.iter().rev().fold(0, |end, byte| end << 8 | u64::from(*byte))
}

/// Appends what [`Fields::leb128`] reads.
pub fn push_leb128(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests;
