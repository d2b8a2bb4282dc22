use super::super::token::Tokenizer;
use super::*;

fn same(left: &str, right: &str) -> bool {
    let wording = |text| Wording::of(text, &Tokenizer::default().buckets(text));
    wording(left).says_same(&wording(right))
}

#[test]
fn the_same_in_other_words() {
    let pairs = [
        ("login rejects a wrong password", "login rejects a wrong password"),
        ("Export notes as PDF", "export note as pdf."),
        ("test_parse_http_header", "ParseHTTPHeaderTest"),
        ("session expires after logout", "after a logout the session has expired"),
        ("returns 429 at the rate limit", "rate limit: returns 429"),
        ("test_rate_limits", "tests of the rate limit"),
        ("", "  "),
    ];
    for (left, right) in pairs {
        assert!(same(left, right) && same(right, left), "{left} / {right}");
    }
}

#[test]
fn one_small_thing_makes_another_test() {
    let pairs = [
        ("the page is shown", "the page is not shown"),
        ("step 7 writes a file", "step 8 writes a file"),
        ("option b is read", "option c is read"),
        ("x > 0", "x < 0"),
        ("mail goes out before payment", "mail goes out after payment"),
        ("turn the lamp on", "turn the lamp off"),
        ("rejects a wrong password", "rejects a wrong name"),
        ("keys of 128 bit", "keys of 256 bit"),
        ("saves with permission", "saves without permission"),
        ("testIsBlank", "testIsNotBlank"),
        ("testGetX", "testGetY"),
        ("test_stops_after_start", "test_starts_after_stop"),
        ("testAddChild", "testAddChildren"),
        ("test_copies_a_file (store.tests.FileTests)", "test_files_a_copy (store.tests.FileTests)"),
        ("test1", "test2"),
        ("kernel_2d", "kernel_3d"),
        ("readsUTF8AfterOpen", "readsUTF8BeforeOpen"),
    ];
    for (left, right) in pairs {
        assert!(!same(left, right), "{left} / {right}");
    }
}
