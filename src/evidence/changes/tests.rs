use super::*;

/// One attempt: path, before, after.
type Edits<'b> = &'b [(&'b str, Option<&'b str>, Option<&'b str>)];

fn version(text: &str) -> Version<'_> {
    Version { mode: 0o100_644, bytes: text.as_bytes() }
}

/// The change set of these attempts, as `path +line +line`; what nobody changed since is as the attempts left it.
fn fold(attempts: &[Edits<'_>], since: Edits<'_>) -> Vec<String> {
    let mut current = BTreeMap::new();
    let mut folded = Vec::new();
    for attempt in attempts {
        let changes = attempt.iter().map(|(path, before, after)| FileChange {
            path: TreePath::new(*path),
            before: before.map(version),
            after: after.map(version),
        });
        folded.push(changes.collect::<Vec<_>>());
    }
    for (path, _, after) in attempts.iter().chain([&since]).flat_map(|edits| edits.iter()) {
        match after {
            Some(text) => current.insert(TreePath::new(*path), version(text)),
            None => current.remove(&TreePath::new(*path)),
        };
    }
    let set = ChangeSet::fold(&folded, &current);
    set.files.iter().map(described).collect()
}

fn described(file: &ChangedFile) -> String {
    match &file.content {
        Content::Text(text) => {
            let lines: Vec<&str> = text.split('\n').collect();
            let added = file.added.iter().map(|line| format!(" +{line}:{}", lines[line - 1].trim()));
            format!("{}{}", file.path, added.collect::<String>())
        }
        Content::Binary { visible } => format!("{} binary {visible}", file.path),
        Content::Deleted => format!("{} deleted", file.path),
    }
}

#[test]
fn a_line_is_added_where_file_and_change_set_gained_it() {
    let cases: &[(&str, Edits<'_>, &[&str])] = &[
        ("a new file", &[("a", None, Some("x\n\n  y\n"))], &["a +1:x +3:y"]),
        ("a new line", &[("a", Some("x\nz\n"), Some("x\ny\nz\n"))], &["a +2:y"]),
        ("no newline at the end", &[("a", Some("x"), Some("x\ny"))], &["a +2:y"]),
        ("indented", &[("a", Some("x\n"), Some("\t  x  \n"))], &["a"]),
        ("other line ends", &[("a", Some("x\ny\n"), Some("x\r\ny\r\nz\r\n"))], &["a +3:z"]),
        ("a byte order mark", &[("a", Some("x\ny\n"), Some("\u{feff}x\ny\n"))], &["a"]),
        ("turned round", &[("a", Some("x\ny\n"), Some("y\nx\n"))], &["a"]),
        ("moved to another file", &[("a", Some("x\ny\n"), Some("y\n")), ("b", None, Some("x\n"))], &["a", "b"]),
        ("renamed and edited", &[("a", Some("x\n"), None), ("b", None, Some("x\ny\n"))], &["a deleted", "b +2:y"]),
        ("copied", &[("a", Some("x\n"), Some("x\nx\n"))], &["a +2:x"]),
        ("copied above", &[("a", Some("x\ny\n"), Some("x\nz\nx\ny\n"))], &["a +2:z +3:x"]),
        ("alike elsewhere", &[("a", Some("f\n}\n\ng\n}\n"), Some("f\n}\n\ng\n}\nh\n}\n"))], &["a +6:h +7:}"]),
        ("alike in between", &[("a", Some("f\n}\ng\n}\n"), Some("f\n}\nh\n}\nw\ng\n}\n"))], &["a +3:h +4:} +5:w"]),
        ("one alike goes", &[("a", Some("x\ny\nz\n"), Some("y\nz\nx\nx\n"))], &["a +3:x +4:x"]),
        ("split in two", &[("a", Some("x y\n"), Some("x\ny\n"))], &["a +1:x +2:y"]),
        (
            "one gains what another loses twice",
            &[("a", Some("x\nx\n"), Some("")), ("b", None, Some("x\n"))],
            &["a", "b"],
        ),
        ("emptied", &[("a", Some("x\n"), Some(""))], &["a"]),
        ("deleted", &[("a", Some("x\n"), None)], &["a deleted"]),
        ("binary now", &[("a", Some("x\n"), Some("x\n\0y\n"))], &["a binary x\ny\n"]),
        ("no longer binary", &[("a", Some("x\n\0"), Some("x\ny\n"))], &["a"]),
        ("a new binary file", &[("a", None, Some("u\0n\0"))], &["a binary un"]),
    ];
    for (name, edits, expected) in cases {
        assert_eq!(fold(&[edits], &[]), *expected, "{name}");
    }
}

#[test]
fn the_attempts_of_a_card_add_up() {
    let cases: &[(&str, &[Edits<'_>], Edits<'_>, &[&str])] = &[
        ("nothing", &[], &[], &[]),
        ("two additions", &[&[("a", None, Some("x\n"))], &[("a", Some("x\n"), Some("x\ny\n"))]], &[], &["a +1:x +2:y"]),
        ("added, then removed", &[&[("a", None, Some("x\n"))], &[("a", Some("x\n"), None)]], &[], &[]),
        (
            "added, removed, put back by another",
            &[&[("a", Some(""), Some("x\n"))], &[("a", Some("x\n"), Some("y\n"))]],
            &[("a", None, Some("x\ny\n"))],
            &["a +2:y"],
        ),
        ("removed in one, put back in the next", &[&[("a", Some("x\n"), None)], &[("a", None, Some("x\n"))]], &[], &[]),
        (
            "hidden in one, put elsewhere in the next",
            &[&[("a", Some("x\n"), None)], &[("b", None, Some("x\n"))]],
            &[],
            &["a deleted", "b"],
        ),
        (
            "hidden behind a NUL, then shown",
            &[&[("a", Some("x\n"), Some("x\n\0"))], &[("a", Some("x\n\0"), None)], &[("b", None, Some("x\n"))]],
            &[],
            &["a deleted", "b"],
        ),
        (
            "added, then moved",
            &[&[("a", None, Some("x\n"))], &[("a", Some("x\n"), None), ("b", None, Some("x\n"))]],
            &[],
            &["b +1:x"],
        ),
        (
            "another's line between",
            &[&[("a", None, Some("x\n"))], &[("a", Some("x\ntheirs\n"), Some("x\ntheirs\ny\n"))]],
            &[],
            &["a +1:x +3:y"],
        ),
        ("another's file later", &[&[("a", None, Some("x\n"))]], &[("b", None, Some("z\n"))], &["a +1:x"]),
        ("another took it away", &[&[("a", Some(""), Some("x\n"))]], &[("a", None, Some(""))], &[]),
        ("another deleted it", &[&[("a", Some("w\n"), Some("x\n"))]], &[("a", None, None)], &["a deleted"]),
    ];
    for (name, attempts, since, expected) in cases {
        assert_eq!(fold(attempts, since), *expected, "{name}");
    }
}

#[test]
fn a_mode_alone_is_a_change_that_adds_nothing() {
    let (before, after) = (version("x\n"), Version { mode: 0o100_755, bytes: b"x\n" });
    let path = TreePath::new("a");
    let change = FileChange { path: path.clone(), before: Some(before), after: Some(after) };
    let set = ChangeSet::fold(&[vec![change]], &BTreeMap::from([(path, after)]));
    assert_eq!((set.files.len(), set.is_empty()), (1, false));
    assert!(set.files[0].added.is_empty());
}

#[test]
fn of_a_file_that_was_not_text_what_was_added_is_unknown() {
    let (latin, utf8) = (Version { mode: 0o100_644, bytes: b"caf\xe9\n" }, version("café\nnew\n"));
    for (before, obscured) in [(Some(latin), true), (Some(version("cafe\n")), false), (None, false)] {
        let path = TreePath::new("a");
        let change = FileChange { path: path.clone(), before, after: Some(utf8) };
        let set = ChangeSet::fold(&[vec![change]], &BTreeMap::from([(path, utf8)]));
        assert_eq!((set.files[0].obscured, set.files[0].added.contains(&2)), (obscured, !obscured), "{before:?}");
    }
}

#[test]
fn a_file_is_known_by_the_bytes_that_it_has() {
    let bytes = "\u{feff}x\r\n";
    let change = FileChange { path: TreePath::new("a"), before: None, after: Some(version(bytes)) };
    let set = ChangeSet::fold(&[vec![change]], &BTreeMap::from([(TreePath::new("a"), version(bytes))]));
    assert_eq!(set.files[0].content, Content::Text("x\n".to_owned()));
    assert_eq!(set.files[0].sha256, Some(sha256(bytes.as_bytes())));
}
