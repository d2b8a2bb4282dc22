//! Texts → the bytes of an index. Pure, and linear in the texts.

use super::count::Counted;
use super::frequencies;
use super::postings::Posting;
use super::store::{Packer, Section, TEXT_END};
use super::terms::Terms;
use super::token::WORD_BITS;

/// The bytes of an index of these texts; a text's place is its test's ordinal. `source_sha256` is of the tests file, and
/// tells later whether the index is still of that file.
pub fn build(texts: &[impl AsRef<str> + Sync], source_sha256: &str) -> Vec<u8> {
    let counted = Counted::halves(texts);
    let [trigrams, of_second] = counted.each_ref().map(|half| &half.trigrams);
    let trigrams: Vec<u32> = trigrams.iter().zip(of_second).map(|(first, second)| first + second).collect();
    let (postings, ends) = by_bucket(&counted);
    drop(counted);
    let mut terms = Terms::with_capacity(3 * postings.len());
    let mut start = 0;
    for (bucket, end) in (0..).zip(ends) {
        terms.push(bucket, &postings[start..end]);
        start = end;
    }
    drop(postings);
    pack(texts, source_sha256, &trigrams, &terms)
}

/// A counting sort: the tests of a bucket stay in their order. With the end of each bucket.
fn by_bucket(counted: &[Counted]) -> (Vec<Posting>, Vec<usize>) {
    let words = || counted.iter().flat_map(|half| &half.words);
    // Each is the start of its bucket once all are counted, and its end once all are placed.
    let mut places = vec![0; 1 << WORD_BITS];
    words().for_each(|(bucket, _)| places[*bucket as usize] += 1);
    let mut start = 0;
    places.iter_mut().for_each(|place| start += std::mem::replace(place, start));
    let mut sorted = vec![Posting::default(); start];
    for (bucket, posting) in words() {
        let place = &mut places[*bucket as usize];
        sorted[*place] = *posting;
        *place += 1;
    }
    (sorted, places)
}

/// The file of these words and trigrams: whoever knows the same of the same texts makes the same bytes.
pub fn pack(texts: &[impl AsRef<str>], source_sha256: &str, trigrams: &[u32], terms: &Terms) -> Vec<u8> {
    let tests = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    let (slot_bits, slots) = terms.slots();
    let (mut end, mut ends) = (0, Vec::with_capacity(TEXT_END * texts.len()));
    for text in texts {
        end += text.as_ref().len() as u64;
        ends.extend_from_slice(&end.to_le_bytes()[..TEXT_END]);
    }
    let mut packer = Packer::default();
    packer.section(Section::Source, [source_sha256]);
    packer.section(Section::Trigrams, [frequencies::encode(trigrams)]);
    packer.section(Section::Slots, [slots]);
    packer.section(Section::Terms, [&terms.terms]);
    packer.section(Section::Postings, [&terms.postings]);
    packer.section(Section::Lengths, [terms.lengths(tests)]);
    packer.section(Section::TextEnds, [ends]);
    packer.section(Section::Texts, texts.iter().map(|text| text.as_ref().as_bytes()));
    packer.finish([tests, slot_bits])
}
