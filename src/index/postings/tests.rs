use proptest::prelude::*;

use super::*;

const TESTS: u32 = 4 * WINDOW as u32;

fn encoded(postings: &[(u32, u8)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(postings, &mut bytes);
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
    let sound = encoded(&[(3, 200), (TESTS - 1, 100)]);
    assert!(Postings::decode(&sound, TESTS).is_some());
    assert!(Postings::decode(&sound, TESTS - 1).is_none());
    for length in 1..sound.len() {
        let whole = length == encoded(&[(3, 200)]).len();
        assert_eq!(Postings::decode(&sound[..length], TESTS).is_some(), whole, "{length} bytes");
    }
    assert!(Postings::decode(&[0xff, 0xff, 0xff, 0xff, 0xf, 1, 0, 0, 1], u32::MAX).is_none(), "a window far off");
    assert!(Postings::decode(&[0, 0], TESTS).is_none(), "a window of none");
}

proptest! {
    #[test]
    fn a_word_counts_where_its_tests_are(
        tests in prop::collection::btree_map((0..4_usize, 0..9_u32, any::<bool>()), 1..=255_u8, 0..40),
        weight in 0.01..1.0_f32,
    ) {
        // Most near the bounds of windows.
        let place = |(window, at, end): (usize, u32, bool)| (window * WINDOW) as u32 + if end { WINDOW as u32 - 1 - at } else { at };
        let tests: std::collections::BTreeMap<u32, u8> = tests.into_iter().map(|(at, code)| (place(at), code)).collect();
        let list: Vec<(u32, u8)> = tests.clone().into_iter().collect();
        let postings = Postings::decode(&encoded(&list), TESTS).unwrap();
        for (ordinal, score) in (0..).zip(scores(&postings, weight)) {
            let expected = tests.get(&ordinal).map_or(0.0, |code| weight_of_code(*code));
            prop_assert_eq!(score, weight * expected);
            prop_assert!(expected == 0.0 || postings.weight(ordinal) == expected);
        }
        prop_assert_eq!(postings.weight(TESTS / 2 - 20), 0.0);
    }
}
