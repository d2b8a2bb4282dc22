use super::*;

#[test]
fn what_is_encoded_is_read() {
    let mut frequencies = vec![0; TRIGRAM_BUCKETS];
    for (bucket, frequency) in [(0, 1), (7, 254), (8, 255), (9, 256), (65_000, 70_000), (65_535, u32::MAX)] {
        frequencies[bucket] = frequency;
    }
    let bytes = encode(&frequencies);
    assert_eq!(bytes.len(), TRIGRAM_BUCKETS + 4 * LARGE_SIZE);
    let read: Vec<u32> = (0..=u16::MAX).map(|bucket| frequency(&bytes, bucket)).collect();
    assert_eq!(read, frequencies);
}

#[test]
fn what_is_of_another_size_does_not_fit() {
    let bytes = encode(&vec![300; TRIGRAM_BUCKETS]);
    assert!(fit(&bytes) && fit(&bytes[..TRIGRAM_BUCKETS]));
    assert!(!fit(&bytes[1..]) && !fit(&bytes[..TRIGRAM_BUCKETS - 1]) && !fit(&[]));
}
