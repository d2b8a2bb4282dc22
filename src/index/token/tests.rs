use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    Tokenizer::default().words(text, |word| words.push(word.text.to_owned()));
    words
}

fn buckets(text: &str) -> Vec<u32> {
    let mut buckets = Vec::new();
    Tokenizer::default().words(text, |word| buckets.push(word.bucket));
    buckets
}

#[test]
fn a_text_is_split_into_words() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("  -- !! ", &[]),
        ("Login works", &["login", "works"]),
        // Identifiers.
        ("snake_case_name", &["snake", "case", "name"]),
        ("camelCaseName", &["camel", "case", "name"]),
        ("parseHTTPHeader", &["parse", "http", "header"]),
        ("HTTPServer2Config", &["http", "server", "server2", "config"]),
        ("src/cli.rs::parse_args", &["src", "cli", "rs", "parse", "args"]),
        ("ABC", &["abc"]),
        // Letters with digits count in three ways; numbers from three digits up.
        ("sha256", &["sha", "sha256", "256"]),
        ("utf8", &["utf", "utf8"]),
        ("r1234 #1234", &["r1234", "1234", "1234"]),
        ("2 of 42 or 404", &["404"]),
        // Stop words and single letters.
        ("the user should be able to log in", &["user", "able", "log"]),
        ("a x THE The", &[]),
        ("don't", &["don"]),
        // Other scripts.
        ("naïve café", &["naive", "cafe"]),
        ("nai\u{308}ve cafe\u{301}", &["naive", "cafe"]),
        ("Straße ÜBER ×2÷ łódź", &["strase", "uber", "lodz"]),
        ("Проверка ВХОДА", &["проверка", "входа"]),
        ("проверитьВходПользователя", &["проверить", "вход", "пользователя"]),
        ("הכניסה תקינה", &["הכניסה", "תקינה"]),
        ("हिन्दी", &["हिन्दी"]),
        ("登录页面", &["登录", "录页", "页面"]),
        ("ログイン・テスト", &["ログ", "グイ", "イン", "テス", "スト"]),
        ("로그인", &["로그", "그인"]),
        ("登 login登录2", &["登", "login", "登录"]),
        ("ｌｏｇｉｎ", &["login"]),
        ("🙂login🙂", &["login"]),
    ];
    for (text, expected) in cases {
        assert_eq!(words(text), *expected, "{text:?}");
    }
}

#[test]
fn inflections_share_a_bucket_and_different_words_do_not() {
    assert_eq!(buckets("connecting connected connection"), [buckets("connect")[0]; 3]);
    let long = ["internationalizes", "internationalized", "internationalizing"].map(|word| buckets(word)[0]);
    assert_eq!(long, [buckets("internationalize")[0]; 3], "as remembered words are");
    for same in ["пользователь пользователя пользователи", "пароль пароля паролем"]
    {
        let of = buckets(same);
        assert_eq!(of, [of[0]; 3], "{same}");
    }
    let distinct = ["login", "logout", "parse", "header", "session", "sha", "256", "登录", "вход"];
    let all: HashSet<u32> = distinct.iter().filter_map(|word| buckets(word).last().copied()).collect();
    assert_eq!(all.len(), distinct.len());
}

#[test]
fn stop_words_are_told_by_the_whole_word() {
    assert_eq!(words("this thistle then thence"), ["thistle", "thence"]);
}

#[test]
fn trigrams_know_the_ends_of_a_word() {
    let of = |word: &str| {
        let mut found = Vec::new();
        trigrams(word, |trigram| found.push(trigram));
        found
    };
    assert_eq!(of("cat").len(), 3);
    assert_eq!(of("x").len(), 1);
    assert_eq!(of("cat")[..2], of("cats")[..2]);
    assert_ne!(of("cat")[2], of("cats")[2]);
    assert_ne!(of("ab"), of("ba"));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,60}|[а-яё]{0,30}|[a-z']{0,30}|[\u{900}-\u{97f}\u{4e00}-\u{4e20}A-Za-z0-9_]{0,30}") {
        for bucket in buckets(&text) {
            prop_assert!(bucket < 1 << WORD_BITS);
        }
        for word in words(&text) {
            prop_assert!(!word.is_empty());
            trigrams(&word, |_| ());
        }
    }
}
