use proptest::prelude::*;
use proptest::sample::Index as At;

use super::*;

/// None where it is left to a build.
fn updated_from(old: &[String], new: &[String]) -> Option<Vec<u8>> {
    updated(&Store::from_bytes(build(old, "old")).unwrap(), new, "new").unwrap()
}

fn numbered(tests: usize) -> Vec<String> {
    (0..tests)
        .map(|at| format!("step {at} opens number{} and door{} again, door{}", at % 7, at % 1000, at % 3))
        .collect()
}

#[test]
fn some_changes_of_a_large_list_give_what_a_build_gives() {
    let old = numbered(WINDOW + 3000);
    let at_the_top: Vec<String> = ["first line".to_owned(), old[9].clone()].into_iter().chain(old.clone()).collect();
    let shorter = [&old[..500], &old[30_000..]].concat();
    let mut edited = old.clone();
    for at in [0, 5, WINDOW - 1, WINDOW, old.len() - 1] {
        edited[at] = format!("edited {at} door7 door7 door7");
    }
    let swapped: Vec<String> = [&old[1000..], &old[..1000]].concat();
    let longer: Vec<String> = old.iter().cloned().chain(["one more".to_owned()]).collect();
    for new in [at_the_top, shorter, edited, swapped, longer] {
        assert!(updated_from(&old, &new) == Some(build(&new, "new")), "{:?} {}", &new[..2], new.len());
    }
    assert!(
        updated_from(&old, &old[..3000]).is_none() && updated_from(&old[..3000], &old).is_none(),
        "most are others"
    );
}

#[test]
fn what_occurs_very_often_is_counted_alike() {
    let old = ["door ".repeat(300), "door ".repeat(256), "window".to_owned(), "door".to_owned()];
    let new = ["door ".repeat(300), "window".to_owned(), "door".to_owned(), "door door".to_owned()];
    assert_eq!(updated_from(&old, &new), Some(build(&new, "new")));
}

#[test]
fn what_can_not_be_read_is_built_anew() {
    let texts = numbered(300);
    let mut bytes = build(&texts, "old");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    let store = Store::from_bytes(bytes).unwrap();
    assert!(updated(&store, &texts, "new").is_err());
    assert_eq!(update(&store, &texts, "new"), build(&texts, "new"));
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(At, String),
    Remove(At),
    Replace(At, String),
    Swap(At, At),
    Rotate(At),
    Repeat(At, At),
}

impl Edit {
    fn apply(self, texts: &mut Vec<String>) {
        let len = texts.len();
        match self {
            Edit::Insert(at, text) => texts.insert(at.index(len + 1), text),
            _ if len == 0 => {}
            Edit::Remove(at) => drop(texts.remove(at.index(len))),
            Edit::Replace(at, text) => texts[at.index(len)] = text,
            Edit::Swap(a, b) => texts.swap(a.index(len), b.index(len)),
            Edit::Rotate(at) => texts.rotate_left(at.index(len)),
            Edit::Repeat(from, to) => texts.insert(to.index(len), texts[from.index(len)].clone()),
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    "([a-c]{2} ){0,4}|([a-c]{2}){0,3}|\\PC{0,9}"
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<At>;
    prop_oneof![
        (at(), text()).prop_map(|(at, text)| Edit::Insert(at, text)),
        at().prop_map(Edit::Remove),
        (at(), text()).prop_map(|(at, text)| Edit::Replace(at, text)),
        (at(), at()).prop_map(|(a, b)| Edit::Swap(a, b)),
        at().prop_map(Edit::Rotate),
        (at(), at()).prop_map(|(from, to)| Edit::Repeat(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_change_gives_what_a_build_gives(
        old in prop::collection::vec(text(), 0..60),
        edits in prop::collection::vec(edit(), 0..8),
    ) {
        let mut new = old.clone();
        edits.into_iter().for_each(|edit| edit.apply(&mut new));
        let store = Store::from_bytes(build(&old, "old")).unwrap();
        prop_assert_eq!(update(&store, &new, "new"), build(&new, "new"));
        if let Some(updated) = updated(&store, &new, "new").unwrap() {
            prop_assert_eq!(updated, build(&new, "new"));
        }
    }
}
