use super::*;

fn one(line: &str) -> TestString {
    let tests = parse(line, "tests.txt").unwrap_or_else(|problems| panic!("{line}: {problems:?}"));
    let [test] = &tests[..] else { panic!("{line}: {tests:?}") };
    test.clone()
}

fn includes(payload: &str) -> Kind {
    Kind::Includes(payload.to_owned())
}

fn regex(source: &str, flags: &str) -> Kind {
    Kind::Regex(Pattern::new(source, flags).unwrap())
}

fn files(glob: &str) -> Option<Scope> {
    Some(Scope::Files(FileGlob::new(glob).unwrap()))
}

#[test]
fn a_check_is_a_kind_a_scope_and_a_payload() {
    for (line, kind, scope) in [
        ("includes:some substring", includes("some substring"), None),
        ("includes: kept \t", includes(" kept \t"), None),
        ("includes:a :: includes:b", includes("a :: includes:b"), None),
        ("includes:x\r", includes("x"), None),
        ("includes:x\r\r", includes("x\r"), None),
        ("\u{feff}includes:x", includes("x"), None),
        ("  includes:x", includes("x"), None),
        ("excludes:todo", Kind::Excludes("todo".to_owned()), None),
        ("shell:cargo test | tail", Kind::Shell("cargo test | tail".to_owned()), None),
        ("regex:/a+/", regex("a+", ""), None),
        ("regex:/a/b/i", regex("a/b", "i"), None),
        (r"regex:/a\/b/imsxUgu", regex(r"a\/b", "imsxUgu"), None),
        ("regex:/a/i  ", regex("a", "i"), None),
        ("includes[message]:x", includes("x"), Some(Scope::Message)),
        ("includes[changes]:x", includes("x"), Some(Scope::Changes)),
        ("excludes[src/**/*.rs]:x", Kind::Excludes("x".to_owned()), files("src/**/*.rs")),
        ("includes[[ab].rs]:x]:y", includes("x]:y"), files("[ab].rs")),
        (r"includes[app/\[id\]/*.tsx]:x", includes("x"), files(r"app/\[id\]/*.tsx")),
        ("regex[{a,b}.rs]:/x/", regex("x", ""), files("{a,b}.rs")),
        ("words :: includes:x", includes("x"), None),
        ("words :: includes[message]:x :: y", includes("x :: y"), Some(Scope::Message)),
        ("not :: a kind :: includes:x :: includes:y", includes("x :: includes:y"), None),
    ] {
        let check = one(line).check;
        assert_eq!((check.kind, check.scope), (kind, scope), "{line}");
    }
}

#[test]
fn a_header_has_words_an_id_and_tags() {
    for (line, id, tags, words) in [
        ("Parser reads 5 lines :: includes:x", None, &[][..], "Parser reads 5 lines"),
        ("@parse.a-1 Parser #cli  reads #always :: includes:x", Some("parse.a-1"), &["cli", "always"], "Parser reads"),
        ("Parser @parse :: includes:x", Some("parse"), &[], "Parser"),
        ("@only #tags :: includes: fn main() ", Some("only"), &["tags"], "fn main()"),
        ("@only :: regex:/fn main\\(\\)/i", Some("only"), &[], "fn main()"),
        ("regex:/\\bexit\\s+\\d\\b|\\[end\\]/i", None, &[], " exit +  |[end]"),
        ("mail a@b.c # @ 5 :: includes:x", None, &[], "mail a@b.c # @ 5"),
        ("includes:@name #tag", None, &[], "@name #tag"),
        ("shell:cargo test", None, &[], "cargo test"),
    ] {
        let test = one(line);
        assert_eq!(
            (test.tags.iter().map(String::as_str).collect::<Vec<_>>(), test.words.as_str()),
            (tags.to_vec(), words),
            "{line}"
        );
        match id {
            Some(id) => assert_eq!(test.id.0, id, "{line}"),
            None => assert!(test.id.0.len() == 12 && test.id.0.starts_with("t-"), "{line}: {}", test.id),
        }
    }
}

#[test]
fn tags_say_what_a_test_is_for() {
    let test = one("a #always #guard :: includes:x");
    assert!(test.always() && test.guard());
    let test = one("a #Always #guards :: includes:x");
    assert!(!test.always() && !test.guard());
}

#[test]
fn an_id_without_a_name_is_the_lines_own() {
    assert_eq!(one("includes:x").id.0, "t-46bc70f33f");
    assert_eq!(one("\u{feff}  includes:x\r").id, one("includes:x").id, "wherever it stands");
    assert_ne!(one("includes:x ").id, one("includes:x").id);
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    let text = "# a comment\r\n\r\n   \n  # includes:x\n#\n# see a::b and c :: d\n# it :: shell out\nincludes:x\n";
    let tests = parse(text, "tests.txt").unwrap();
    assert_eq!(tests.iter().map(|test| (test.line, test.text.as_str())).collect::<Vec<_>>(), [(8, "includes:x")]);
    assert_eq!(parse("", "tests.txt"), Ok(vec![]));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_to_do() {
    for (line, column, text, hint) in [
        (
            "#tag words :: includes:x",
            1,
            "a line that begins with `#` is a comment, but this one holds a test",
            "begin with `@name` or a word: `@name #tag words :: includes:…`",
        ),
        ("  # words :: shell[x]:y", 3, "a line that begins with `#` is a comment", "`@name #tag words :: shell:…`"),
        ("just words", 1, "no test in this line", "write `words :: includes:some text`"),
        ("words:: includes:x", 9, "the header before this test does not end in ` :: `", "a space on both sides"),
        (":: includes:x", 4, "the header before this test does not end in ` :: `", "a space on both sides"),
        ("include:x", 1, "unknown kind `include:`", "did you mean `includes:`?"),
        ("Includes: x", 1, "unknown kind `Includes:`", "did you mean `includes:`?"),
        ("includes : x", 1, "unknown kind `includes:`", "did you mean `includes:`?"),
        ("über :: contains[message]:x", 9, "unknown kind `contains:`", "did you mean `includes:`?"),
        ("words :: exclude:x", 10, "unknown kind `exclude:`", "did you mean `excludes:`?"),
        ("words :: regexp:/x/", 10, "unknown kind `regexp:`", "did you mean `regex:`?"),
        ("words :: sh:x", 10, "unknown kind `sh:`", "did you mean `shell:`?"),
        ("includes[message:x", 1, "the scope of `includes` is not closed", "write `includes[scope]:some text`"),
        ("includes:", 1, "nothing stands after `includes:`", "write what to look for: `includes:some words`"),
        ("a :: shell:  \t", 6, "nothing stands after `shell:`", "`shell:some words`"),
        ("includes[]:x", 10, "the scope is empty", "a scope is `message`, `changes` or a glob"),
        ("includes[Message]:x", 10, "unknown scope `Message`", "a scope is `message`, `changes` or a glob"),
        ("includes[change]:x", 10, "unknown scope `change`", "a scope is `message`, `changes` or a glob"),
        ("includes[src/[a]:x", 10, "the glob `src/[a` is wrong: unclosed character class", "a scope is"),
        ("includes[/etc/*]:x", 10, "the glob `/etc/*` can match no changed file", "globs start at the workspace"),
        ("includes[a/../b]:x", 10, "the glob `a/../b` can match no changed file", "globs start at the workspace"),
        ("includes[greet.sh/]:x", 10, "the glob `greet.sh/` can match no changed file", "it is of files"),
        ("includes[src//*.rs]:x", 10, "the glob `src//*.rs` can match no changed file", "it is of files"),
        ("includes[*.rs ]:x", 10, "the glob `*.rs ` can match no changed file", "without the spaces"),
        (r"includes[src\*.rs]:x", 10, r"the glob `src\*.rs` can match no changed file", "parted by `/`"),
        ("shell[src]:x", 7, "a shell test takes no scope", "write `shell:command`"),
        ("regex:abc", 7, "a regex begins with `/`", "between slashes"),
        ("regex: /abc/", 7, "a regex begins with `/`", "between slashes"),
        ("regex:/abc", 7, "a regex ends with `/`", "between slashes"),
        ("regex://i", 7, "the regex is empty", "between slashes"),
        ("regex:/abc/iq", 12, "unknown regex flag `q`", "the pattern ends at the last `/`"),
        ("regex:/usr/bin", 12, "unknown regex flag `b`", "the pattern ends at the last `/`"),
        ("regex:/a(b/", 7, "the regex is wrong: unclosed group", ""),
        (
            "regex:/a(?=b)/",
            7,
            "the regex is wrong: look-around, including look-ahead and look-behind, is not supported",
            "",
        ),
        (r"regex:/(\w{500}){500}/", 7, "the regex is wrong: Compiled regex exceeds size limit of 4194304 bytes", ""),
        ("@a @b words :: includes:x", 4, "a second id, `@b`", "a test has one `@name`"),
        ("@a, words :: includes:x", 1, "`@a,` is no id", "an id is made of letters"),
    ] {
        let problems = parse(&format!("# first\n{line}\n"), "t.txt").expect_err(line);
        let [problem] = &problems[..] else { panic!("{line}: {problems:?}") };
        assert_eq!((problem.file.as_str(), problem.line, problem.column), ("t.txt", 2, column), "{line}: {problem:?}");
        assert!(problem.text.starts_with(text) && !problem.text.contains('\n'), "{line}: {problem:?}");
        assert!(problem.hint.as_deref().unwrap_or_default().contains(hint), "{line}: {problem:?}");
    }
}

#[test]
fn all_problems_come_at_once() {
    let text = "@a :: includes:1\nincludes:\n@a :: includes:2\nincludes:x\nregex:x\nincludes:x\n  @b @a :: includes:x\n@a :: includes:3";
    let problems = parse(text, "tests.txt").unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "tests.txt:2:1: nothing stands after `includes:`",
            "tests.txt:3:1: the test `a` stands on line 1 already",
            "tests.txt:5:7: a regex begins with `/`",
            &format!("tests.txt:6:1: the test `{}` stands on line 4 already", one("includes:x").id),
            "tests.txt:7:6: a second id, `@a`",
            "tests.txt:8:1: the test `a` stands on line 1 already",
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-z@#:/\\[\\]\\\\ \r\n(){}ü\u{feff}]|includes|regex:/| :: ){0,40}") {
        if let Err(problems) = parse(&text, "tests.txt") {
            let lines = text.split('\n').count();
            assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
        }
    }
}
