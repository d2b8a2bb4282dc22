use super::*;

fn sections() -> [Vec<u8>; SECTIONS] {
    [vec![1; 64], vec![2; 5000], vec![3; 8], Vec::new(), vec![5; 9000], vec![8; 2], vec![6; 16], vec![7; 3]]
}

const ORDER: [Section; SECTIONS] = [
    Section::Source,
    Section::Trigrams,
    Section::Slots,
    Section::Terms,
    Section::Postings,
    Section::Lengths,
    Section::TextEnds,
    Section::Texts,
];

impl From<Vec<u8>> for Piece<'static> {
    fn from(bytes: Vec<u8>) -> Piece<'static> {
        Piece { range: 0..bytes.len(), blocks: Cow::Owned(bytes) }
    }
}

fn pack(numbers: [u32; NUMBERS], sections: [Vec<u8>; SECTIONS]) -> Vec<u8> {
    let mut packer = Packer::default();
    // In pieces, however they are cut.
    ORDER.into_iter().zip(sections).for_each(|(section, bytes)| packer.section(section, bytes.chunks(999)));
    packer.finish(numbers)
}

fn read_all(bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, Unusable> {
    let store = Store::from_bytes(bytes)?;
    ORDER.into_iter().map(|section| Ok(store.read(section, 0..store.section_len(section))?.to_vec())).collect()
}

#[test]
fn what_is_packed_is_read() {
    let bytes = pack([7, 9], sections());
    assert_eq!(Store::from_bytes(bytes.clone()).unwrap().numbers, [7, 9]);
    assert_eq!(read_all(bytes).unwrap(), sections());
}

#[test]
fn a_piece_is_read_the_same_before_and_after_its_block_was_read() {
    let mut sections = sections();
    sections[4] = (0..9000_u32).map(|at| (at % 251) as u8).collect();
    let store = Store::from_bytes(pack([0, 0], sections.clone())).unwrap();
    for range in [4000..4200, 0..1, 8999..9000, 0..9000, 4000..4200, 10..10] {
        let expected = &sections[4][range.clone()];
        assert_eq!(*store.read(Section::Postings, range.start as u64..range.end as u64).unwrap(), *expected);
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = pack([7, 9], sections());
    for at in (0..bytes.len()).filter(|at| *at < HEADER || at % 37 == 0 || *at > bytes.len() - 40) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(read_all(flipped).is_err(), "byte {at}");
    }
}

#[test]
fn every_truncation_and_every_addition_is_refused() {
    let bytes = pack([7, 9], sections());
    for length in (0..bytes.len()).filter(|length| length % 61 == 0 || *length <= HEADER || length + 9 > bytes.len()) {
        assert!(Store::from_bytes(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(Store::from_bytes(longer).is_err());
}

#[test]
fn swapped_blocks_are_refused() {
    let mut body = sections();
    body[4] = (0..9000_u32).map(|at| (at >> 4) as u8).collect();
    let mut bytes = pack([7, 9], body);
    for at in 0..BLOCK as usize {
        bytes.swap(HEADER + at, HEADER + BLOCK as usize + at);
    }
    assert!(read_all(bytes).is_err());
}

#[test]
fn the_reason_is_told() {
    let bytes = pack([7, 9], sections());
    let mut old = bytes.clone();
    old[8] = 0;
    let mut cut = bytes.clone();
    cut.truncate(9000);
    let cases = [
        (b"# tests".repeat(40), "no index of this program"),
        (b"".to_vec(), "truncated"),
        (old, "version 0"),
        (cut, "length of 9000 bytes"),
    ];
    for (bytes, reason) in cases {
        let error = Store::from_bytes(bytes).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("build it anew"), "{error}");
    }
    let store = Store::from_bytes(bytes).unwrap();
    for range in [0..10, 16..17, 4..u64::MAX] {
        assert!(store.read(Section::Slots, range).is_err());
    }
}

#[test]
fn numbers_survive_leb128() {
    for number in [0, 1, 127, 128, 300, 1 << 21, u32::MAX] {
        let mut bytes = Vec::new();
        push_leb128(number, &mut bytes);
        assert_eq!(Fields(&bytes).leb128(), Some(number));
    }
    assert_eq!(Fields(&[0xff; 9]).leb128(), None);
    assert_eq!(Fields(&[0x80]).leb128(), None);
}
