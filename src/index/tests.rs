#![expect(clippy::disallowed_methods, reason = "tests write their own files")]

use proptest::prelude::*;

use super::*;

const TESTS: [&str; 8] = [
    "login rejects a wrong password",
    "login locks the account after five wrong passwords",
    "parseHTTPHeader splits the header lines",
    "board edit keeps every other byte",
    "вход отклоняет неверный пароль",
    "登录拒绝错误的密码",
    "the and of to",
    "",
];

fn index(texts: &[&str]) -> Index {
    Index::from_bytes(build(texts, "5ac1")).unwrap()
}

fn card<'q>(title: &'q str, body: &'q str) -> Query<'q> {
    Query { title, body }
}

fn ordinals(index: &Index, title: &str, body: &str) -> Vec<u32> {
    index.rank(&card(title, body), 50).unwrap().iter().map(|candidate| candidate.ordinal).collect()
}

fn limits(k: usize) -> Limits {
    Limits { k, threshold: DEFAULT_THRESHOLD, mmr_lambda: 0.8 }
}

#[test]
fn the_best_test_comes_first() {
    let index = index(&TESTS);
    let cases = [
        ("Wrong password on login", 0),
        ("lock account after wrong passwords", 1),
        ("HTTP header parsing", 2),
        ("fix `parse_http_header`", 2),
        ("Every byte of the board is kept", 3),
        ("Неверный пароль", 4),
        ("密码错误", 5),
        ("authentication passwrods login", 0),
    ];
    for (title, best) in cases {
        assert_eq!(ordinals(&index, title, title).first(), Some(&best), "{title}");
    }
}

#[test]
fn a_candidate_names_its_words_strongest_first() {
    let index = index(&TESTS);
    let best = index.rank(&card("", "Wrong passwords lock accounts"), 1).unwrap();
    assert_eq!(best[0].words, ["accounts", "lock", "passwords", "wrong"], "rare ones, then those that two tests have");
    assert!(best[0].similarity > 0.5 && best[0].similarity <= 1.0, "{best:?}");
}

#[test]
fn a_card_like_a_test_is_all_similar_to_it() {
    let index = index(&TESTS);
    let best = index.rank(&card("", TESTS[3]), 1).unwrap();
    assert_eq!(best[0].ordinal, 3);
    assert!(best[0].similarity > 0.8, "{best:?}");
}

#[test]
fn nothing_is_found_where_nothing_is_shared() {
    let full = index(&TESTS);
    for body in ["", "the of and", "zzyzx", "#!?"] {
        assert_eq!(ordinals(&full, "", body), [0; 0], "{body:?}");
    }
    let empty = index(&[]);
    assert_eq!((empty.len(), empty.is_empty()), (0, true));
    assert_eq!(ordinals(&empty, "login", "login"), [0; 0]);
    assert_eq!(select(&empty, &card("login", "login"), &[], limits(5)).unwrap(), Selection::default());
}

#[test]
fn words_that_no_test_has_take_nothing_away() {
    let index = index(&TESTS);
    let short = index.rank(&card("", "login password"), 1).unwrap();
    let long = index.rank(&card("", "login password zzyzx qwrtp xkcdq vvvvb"), 1).unwrap();
    assert!((short[0].similarity - long[0].similarity).abs() < 0.05, "{short:?} {long:?}");
}

#[test]
fn words_of_any_project_tell_less_than_those_of_the_subject() {
    let texts = ["an invalid value returns an error", "a grey zebra gallops over the savannah", "board", "byte"];
    let index = index(&texts);
    let similarity = |body| index.rank(&card("", body), 1).unwrap()[0].similarity;
    let (general, own) =
        (similarity("an error about some value: quokka"), similarity("a zebra in some savannah: quokka"));
    assert!(general < 0.8 * own, "{general} {own}");
}

#[test]
fn one_word_in_common_tells_less_than_several() {
    let index = index(&TESTS);
    let similarity = |body| index.rank(&card("", body), 1).unwrap()[0].similarity;
    let steps = ["password", "wrong password", "login rejects a wrong password"].map(similarity);
    assert!(steps.is_sorted() && steps[0] < 0.5 && steps[2] > 0.7, "{steps:?}");
}

#[test]
fn a_named_test_that_has_nothing_of_the_card_is_0_similar() {
    for body in ["zzyzx", ""] {
        let chosen = select(&index(&TESTS), &card("", body), &[0, 7], limits(2)).unwrap().chosen;
        let shown: Vec<_> = chosen.iter().map(|test| format!("{:?} {:?}", test.similarity, test.penalty)).collect();
        assert_eq!(shown, ["0.0 0.0"; 2], "{body:?}");
    }
}

#[test]
fn ties_go_to_the_earlier_test() {
    let texts = vec!["login works"; 300];
    assert_eq!(ordinals(&index(&texts), "login", "login")[..3], [0, 1, 2]);
}

#[test]
fn a_short_number_decides_between_equals() {
    let texts: Vec<String> = (0..30).map(|number| format!("step {number} writes a file")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(ordinals(&index(&texts), "Step 17 writes its file", "")[0], 17);
}

#[test]
fn each_cluster_of_near_duplicates_gives_one_test_first() {
    let texts = [
        "login rejects wrong password quickly",
        "login rejects wrong password slowly",
        "login rejects wrong password again and loudly",
        "session expires after logout",
        "session expires after a late logout",
        "cookie is deleted by the browser",
    ];
    let query = card("", "login rejects wrong password; session expires after logout; cookie deleted by browser");
    let selection = select(&index(&texts), &query, &[], limits(3)).unwrap();
    let mut clusters: Vec<u32> =
        selection.chosen.iter().map(|test| [0, 0, 0, 3, 3, 5][test.ordinal as usize]).collect();
    clusters.sort_unstable();
    assert_eq!(clusters, [0, 3, 5]);
}

/// Large enough for both stages and for several cuts; the words decide, and the earlier of equals.
#[test]
fn the_best_of_many_are_the_best_of_all() {
    let colours = ["red", "green", "blue", "white"];
    let texts: Vec<String> = (0..5000).map(|at| format!("{} button number{at}", colours[at % 4])).collect();
    let index = Index::from_bytes(build(&texts, "")).unwrap();
    let found = ordinals(&index, "", "number4321");
    assert_eq!(found[0], 4321);
    let found = ordinals(&index, "", "white");
    assert!(found.len() == 50 && found.iter().all(|ordinal| ordinal % 4 == 3), "{found:?}");
}

#[test]
fn copies_of_one_text_do_not_fill_the_list() {
    let mut texts = vec!["login rejects a wrong password"; 400];
    texts.push("login page shows the password field");
    texts.push("password reset mail");
    let limits = Limits { threshold: 0.03, ..limits(4) };
    let selection = select(&index(&texts), &card("", "login rejects a wrong password"), &[], limits).unwrap();
    let chosen: Vec<u32> = selection.chosen.iter().map(|test| test.ordinal).collect();
    assert_eq!(chosen, [0, 400, 401, 1]);
}

#[test]
fn the_named_come_first_beyond_threshold_and_k() {
    let index = index(&TESTS);
    let query = card("", "login rejects a wrong password");
    let selected = |named: &[u32], k| {
        let selection = select(&index, &query, named, limits(k)).unwrap();
        selection.chosen.iter().map(|test| (test.ordinal, test.named)).collect::<Vec<_>>()
    };
    assert_eq!(selected(&[3, 7], 3), [(3, true), (7, true), (0, false)]);
    assert_eq!(selected(&[3, 7, 2], 2), [(3, true), (7, true), (2, true)]);
    assert_eq!(selected(&[0, 0], 2), [(0, true), (1, false)], "each test once");
    let strange = select(&index, &query, &[99], limits(3));
    assert!(strange.is_err(), "{strange:?}");
}

#[test]
fn a_selection_says_what_it_left_out_and_why() {
    let texts = [
        "login rejects wrong password",
        "login rejects wrong password slowly",
        "session expires",
        "logout button is blue and round and large and lies in the upper corner of every page like a session",
    ];
    let query = card("", "login rejects wrong password; session expires");
    let missed = |k, threshold| {
        let limits = Limits { k, threshold, mmr_lambda: 0.6 };
        let selection = select(&index(&texts), &query, &[], limits).unwrap();
        selection.near_misses.iter().map(|miss| (miss.candidate.ordinal, miss.reason)).collect::<Vec<_>>()
    };
    assert_eq!(missed(2, 0.2), [(1, Missed::CrowdedOut), (3, Missed::BelowThreshold)]);
    assert_eq!(missed(3, 0.05), [(3, Missed::BeyondK)]);
    assert_eq!(missed(4, 0.05), []);
    assert_eq!(missed(4, 1.0).iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Missed::BelowThreshold; 4]);
}

#[test]
fn a_file_answers_as_its_bytes_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let bytes = build(&TESTS, "5ac1");
    std::fs::write(&path, &bytes).unwrap();
    let (file, memory) = (Index::open(&path).unwrap(), Index::from_bytes(bytes).unwrap());
    assert_eq!((file.len(), file.source_sha256()), (8, "5ac1"));
    let query = card("Login", "Login\nwrong password");
    assert_eq!(file.rank(&query, 9).unwrap(), memory.rank(&query, 9).unwrap());
}

#[test]
fn a_file_that_is_no_sound_index_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    assert!(Index::open(&path).is_err(), "missing");
    assert!(Index::open(folder.path()).is_err(), "a folder");
    let sound = build(&TESTS, "5ac1");
    for (name, bytes) in [("empty", vec![]), ("foreign", vec![b'#'; 500]), ("torn", sound[..sound.len() / 2].to_vec())]
    {
        std::fs::write(&path, bytes).unwrap();
        assert!(Index::open(&path).is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A damage is refused or was never looked at: the answer is the right one or none.
    #[test]
    fn no_damage_gives_a_wrong_answer(at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let sound = build(&TESTS, "5ac1");
        let query = card("Login", "login rejects a wrong password");
        let right = index(&TESTS).rank(&query, 9).unwrap();
        let mut damaged = sound;
        let at = at.index(damaged.len());
        damaged[at] ^= bits;
        if let Ok(answer) = Index::from_bytes(damaged).and_then(|index| index.rank(&query, 9)) {
            prop_assert_eq!(answer, right);
        }
    }

    #[test]
    fn any_texts_can_be_indexed_and_asked(
        texts in prop::collection::vec("[a-c ]{0,9}|\\PC{0,20}", 0..130),
        body in "[a-c ]{0,9}|\\PC{0,40}",
        k in 0..9_usize,
    ) {
        let index = Index::from_bytes(build(&texts, "")).unwrap();
        let selection = select(&index, &card(&body, &body), &[], limits(k)).unwrap();
        prop_assert!(selection.chosen.len() <= k);
        for test in &selection.chosen {
            prop_assert!(test.similarity >= DEFAULT_THRESHOLD && test.similarity <= 1.0);
        }
        let again = select(&index, &card(&body, &body), &[], limits(k)).unwrap();
        prop_assert_eq!(selection, again);
    }
}
