use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const TESTS: u32 = 4 * WINDOW as u32;

fn encoded(postings: &[(u32, u8)]) -> Vec<u8> {
    let postings: Vec<Posting> = postings.iter().map(|&(test, count)| Posting { test, count }).collect();
    let mut bytes = Vec::new();
    encode(&postings, &mut bytes);
    bytes
}

/// By ordinal.
fn scores(postings: &Postings, weight: f32) -> Vec<f32> {
    let mut all = Vec::new();
    for window in 0..TESTS as usize / WINDOW {
        let mut scores = [0.0; WINDOW];
        postings.add(weight, window, &mut scores);
        all.extend(scores);
    }
    all
}

#[test]
fn what_is_of_no_test_is_refused() {
    let sound = encoded(&[(3, 2), (TESTS - 1, 1)]);
    let is_sound = |bytes: &[u8], tests| Postings::new(Piece::from(bytes.to_vec()), tests).is_some();
    assert!(is_sound(&sound, TESTS) && !is_sound(&sound, TESTS - 1));
    for length in 1..sound.len() {
        let whole = length == encoded(&[(3, 2)]).len();
        assert_eq!(is_sound(&sound[..length], TESTS), whole, "{length} bytes");
    }
    assert!(!is_sound(&[0xff, 0xff, 0xff, 0xff, 0xf, 2, 0, 0], u32::MAX), "a window far off");
    assert!(!is_sound(&[0, 0], TESTS), "a window of none");
    assert!(!is_sound(&[0, 2, 0, 0, 0, 3, 0, 0, 2, 0], TESTS), "a group of none");
}

#[test]
fn a_test_that_has_it_once_takes_two_bytes() {
    let once: Vec<(u32, u8)> = (0..60).map(|test| (test * 7, 1)).collect();
    assert_eq!(encoded(&once).len(), 2 + 2 * once.len());
}

proptest! {
    #[test]
    fn a_word_counts_where_its_tests_are(
        tests in prop::collection::btree_map((0..4_usize, 0..9_u32, any::<bool>()), prop_oneof![Just(1), 1..=3_u8, any::<u8>().prop_map(|count| count.max(1))], 0..40),
        weight in 0.01..1.0_f32,
    ) {
        // Most near the bounds of windows.
        let place = |(window, at, end): (usize, u32, bool)| (window * WINDOW) as u32 + if end { WINDOW as u32 - 1 - at } else { at };
        let tests: BTreeMap<u32, u8> = tests.into_iter().map(|(at, count)| (place(at), count)).collect();
        let list: Vec<(u32, u8)> = tests.clone().into_iter().collect();
        let postings = Postings::new(Piece::from(encoded(&list)), TESTS).unwrap();
        for (ordinal, score) in (0..).zip(scores(&postings, weight)) {
            let expected = tests.get(&ordinal).map_or(0.0, |count| weight * share(*count));
            prop_assert_eq!(score, expected);
            prop_assert!(expected == 0.0 || postings.weight(weight, ordinal) == expected);
        }
        prop_assert_eq!(postings.weight(weight, TESTS / 2 - 20), 0.0);
    }
}
