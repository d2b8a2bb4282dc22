use proptest::prelude::*;

use super::super::{TestString, parse};
use super::*;

fn tests() -> Vec<TestString> {
    let file = "@one includes:a\n@one-more includes:b\nan #api #slow includes:c\nall #always includes:d\nincludes:e\n\
                @a/b #c++ includes:f\n@a #. includes:g\n";
    parse(&file.replace(" includes", " :: includes"), "tests.txt").unwrap()
}

#[test]
fn a_card_names_its_tests() {
    let names = Names::of(&tests());
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &[u32]); 13] = [
        ("nothing",                 &[],       &[3]),
        ("proved by @one.",         &[],       &[0, 3]),
        ("proved by @one-more",     &[],       &[1, 3]),
        ("(@one, @one-more)",       &[],       &[0, 1, 3]),
        ("me@one.org",              &[],       &[3]),
        ("@@one",                   &[],       &[3]),
        ("about #api",              &[],       &[2, 3]),
        ("labelled",                &["slow"], &[2, 3]),
        ("labelled and named #api", &["slow"], &[2, 3]),
        ("#apiary is another word", &[],       &[3]),
        ("in #c++...",              &[],       &[3, 5]),
        ("both of @a/b",            &[],       &[3, 5, 6]),
        ("@a...",                   &[],       &[3, 6]),
    ];
    for (text, labels, expected) in cases {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(names.named(text, &labels), expected, "{text}");
    }
}

/// Whether a text names a test, found the long way: it is looked through for each name.
fn mentioned(text: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back().is_none_or(|c| !word(c) && !name.starts_with(c));
        let rest = text[at + found.len()..].trim_start_matches('.');
        before && rest.chars().next().is_none_or(|c| !word(c))
    })
}

proptest! {
    #[test]
    fn the_tests_that_are_named_are_those_that_looking_for_each_finds(
        text in "[@#]{0,2}([@#./ü +-]|one|more|api|c|a|b|slow){0,12}",
    ) {
        let tests = tests();
        let is_named = |test: &TestString| {
            let tagged = test.tags.iter().any(|tag| mentioned(&text, &format!("#{tag}")));
            test.always() || tagged || mentioned(&text, &format!("@{}", test.id))
        };
        let expected: Vec<u32> = (0..).zip(&tests).filter(|(_, test)| is_named(test)).map(|(at, _)| at).collect();
        prop_assert_eq!(Names::of(&tests).named(&text, &[]), expected);
    }
}
