use proptest::prelude::*;

use super::*;

fn pieces(old: &str, new: &str) -> Vec<(usize, usize, usize)> {
    let [old, new] = [old, new].map(|list| list.split("").filter(|text| !text.is_empty()).collect::<Vec<_>>());
    kept(&old, &new).iter().map(|piece| (piece.old, piece.new, piece.len)).collect()
}

#[test]
fn what_is_the_same_is_kept() {
    type Pieces<'p> = &'p [(usize, usize, usize)];
    let cases: [(&str, &str, Pieces<'_>); 11] = [
        ("", "", &[]),
        ("abc", "", &[]),
        ("", "abc", &[]),
        ("abc", "xyz", &[]),
        ("abc", "abc", &[(0, 0, 3)]),
        ("abc", "xabc", &[(0, 1, 3)]),
        ("abc", "abcx", &[(0, 0, 3)]),
        ("abcd", "ad", &[(0, 0, 1), (3, 1, 1)]),
        ("abcdef", "abxdyf", &[(0, 0, 2), (3, 3, 1), (5, 5, 1)]),
        ("abcdefghij", "jabcdefghi", &[(0, 1, 9)]),
        ("aaab", "aab", &[(0, 0, 2), (3, 2, 1)]),
    ];
    for (old, new, expected) in cases {
        assert_eq!(pieces(old, new), expected, "{old} {new}");
    }
}

#[test]
fn a_large_piece_may_move() {
    let texts: Vec<String> = (0..5000).map(|at| at.to_string()).collect();
    let old: Vec<&str> = texts.iter().map(String::as_str).collect();
    let new = [&old[1000..], &old[..1000]].concat();
    assert_eq!(kept(&old, &new), [Kept { old: 1000, new: 0, len: 4000 }]);
}

proptest! {
    #[test]
    fn pieces_are_the_same_and_rise(
        old in prop::collection::vec("[a-i]", 0..60),
        new in prop::collection::vec("[a-i]", 0..60),
    ) {
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let (mut at_old, mut at_new) = (0, 0);
        for Kept { old: from_old, new: from_new, len } in kept(&old, &new) {
            prop_assert!(from_old >= at_old && from_new >= at_new && len > 0);
            prop_assert!(old[from_old..from_old + len] == new[from_new..from_new + len]);
            (at_old, at_new) = (from_old + len, from_new + len);
        }
    }
}
