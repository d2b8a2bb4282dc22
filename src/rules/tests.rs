use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Rules, Vec<String>> {
    let columns = ["Backlog", "Needs Specs", "In Progress", "Review", "Done"].map(Column::from);
    let told = |problem: &crate::failure::Problem| match &problem.hint {
        Some(hint) => format!("{problem}\n    hint: {hint}"),
        None => problem.to_string(),
    };
    let board = Board { columns: columns.to_vec(), ..Board::default() };
    parse(text, "transitions.yaml", Path::new("/board"), Some(&board))
        .map_err(|problems| problems.iter().map(told).collect())
}

fn column(name: &str) -> Option<Column> {
    Some(Column::from(name))
}

#[test]
fn the_orders_own_example_is_valid() {
    let text = "statuses:\n  In Progress:\n    onFail: Needs Specs\n    onPass: Review\n  Review:\n    onFail: In Progress\n    onPass: Done\n";
    let rules = read(text).unwrap();
    assert_eq!(rules.columns[&Column::from("Review")].on_fail, column("In Progress"));
    assert_eq!(rules.columns.len(), 2);
}

#[test]
fn a_column_that_is_only_named_is_a_parking_place() {
    let rules = read("statuses:\n  Review: {onPass: Done}\n  Done:\n  Backlog: {}\n").unwrap();
    assert_eq!(rules.columns.keys().map(|name| &*name.0).collect::<Vec<_>>(), ["Review"]);
}

#[test]
fn every_problem_of_a_file_is_told_with_its_place() {
    let text = "statuses:\n  In Progress:\n    onPas: Review\n    maxAttempts: 0\n    k: 2\n    require: 3\n    evidence: [diff]\n    beforeTransition: ./x.sh\n  Reviev:\n    onPass: Finished\nversion: 1\n";
    insta::assert_snapshot!(read(text).unwrap_err().join("\n"));
}

#[test]
fn a_ring_of_on_fail_edges_needs_a_limit() {
    let ring = |limit: &str| {
        format!(
            "statuses:\n  In Progress: {{onFail: Review{limit}}}\n  Review: {{onFail: In Progress, onPass: Done}}\n"
        )
    };
    assert_eq!(read(&ring("")).unwrap_err().len(), 1);
    assert!(read(&ring(", maxAttempts: 2")).is_ok());
    // Staying in the column is no ring: the default limit holds.
    assert!(read("statuses:\n  Review: {onFail: Review, onPass: Done}\n").is_ok());
}

#[test]
fn where_a_verdict_sends_a_card() {
    let full = Rule {
        on_pass: column("Review"),
        on_fail: column("Needs Specs"),
        on_exhausted: column("Blocked"),
        ..Rule::default()
    };
    let silent = Rule { on_pass: column("Review"), ..Rule::default() };
    #[rustfmt::skip]
    let table = [
        (Verdict::Pass,         false, Some("Review"),      Some("Review")),
        (Verdict::Pass,         true,  Some("Review"),      Some("Review")),
        (Verdict::Fail,         false, Some("Needs Specs"), None),
        (Verdict::Fail,         true,  Some("Blocked"),     None),
        (Verdict::Tampered,     false, Some("Needs Specs"), None),
        (Verdict::Tampered,     true,  Some("Blocked"),     None),
        (Verdict::Unverified,   false, Some("Needs Specs"), None),
        (Verdict::Unverified,   true,  Some("Needs Specs"), None),
        (Verdict::Exhausted,    true,  Some("Blocked"),     None),
        (Verdict::Inconclusive, false, None,                None),
        (Verdict::Moved,        false, None,                None),
    ];
    for (verdict, last, with_targets, without) in table {
        assert_eq!(full.target(verdict, last).map(|c| &*c.0), with_targets, "{verdict}, last: {last}");
        assert_eq!(silent.target(verdict, last).map(|c| &*c.0), without, "{verdict}, last: {last}, silent rule");
    }
}

#[test]
fn a_rule_says_all_that_it_can() {
    let text = "\
createColumns: true
statuses:
  In Progress:
    prompt: |
      Implement it.

      Well.
    onPass: Review
    onFail: Needs Specs
    maxAttempts: 4
    onExhausted: Blocked
    beforeTransition: { shell: ./hooks/check.sh --fast 'a b' }
    afterTransition: { js: hooks/notify.mjs }
    k: 8
    require: 2
    threshold: 0.3
    evidence: changes
    requireChanges: true
    redGreen: true
    guardPaths: ['tests/**', '!tests/data/**']
    onFailWork: stash
";
    let rules = read(text).unwrap();
    let expected = Rule {
        prompt: "Implement it.\n\nWell.\n".into(),
        prompt_file: None,
        on_pass: column("Review"),
        on_fail: column("Needs Specs"),
        max_attempts: Some(4),
        on_exhausted: column("Blocked"),
        before: Some(Hook::Shell {
            line: "./hooks/check.sh --fast 'a b'".into(),
            file: Some("/board/./hooks/check.sh".into()),
        }),
        after: Some(Hook::Js("/board/hooks/notify.mjs".into())),
        k: Some(8),
        require: Some(2),
        threshold: Some(0.3),
        evidence: Some(vec![Source::Changes]),
        require_changes: true,
        red_green: true,
        guard_paths: GuardPaths::new(["tests/**", "!tests/data/**"]).unwrap(),
        on_fail_work: FailWork::Stash,
    };
    assert_eq!(rules.columns[&Column("In Progress".into())], expected);
    assert!(rules.create_columns);
}

#[test]
fn what_a_rule_does_not_say_is_left_to_the_settings() {
    let rule = &read("statuses:\n  Review: {onPass: Done}\n").unwrap().columns[&Column::from("Review")];
    assert_eq!(*rule, Rule { on_pass: column("Done"), ..Rule::default() });
    assert_eq!(rule.sources(), [Source::Message, Source::Changes]);
    assert!(!rule.require_changes && !rule.red_green, "silent columns are not strict");
}

#[test]
fn a_hooks_own_file_belongs_to_the_gate_and_a_program_on_path_does_not() {
    for (line, file) in [
        ("./check.sh", Some("/board/./check.sh")),
        ("hooks/check.sh --all", Some("/board/hooks/check.sh")),
        ("/opt/check", Some("/opt/check")),
        ("\"./check.sh\" --all", Some("/board/./check.sh")),
        ("'my checks/a.sh' '--all of it'", Some("/board/my checks/a.sh")),
        ("my\\ checks/a.sh", Some("/board/my checks/a.sh")),
        ("notify-send done", None),
        // The shell's own affair, which starts it in the workspace.
        ("$HOME/check.sh", None),
        ("\"$PWD/check.sh\"", None),
        ("~/check.sh", None),
        ("./check.sh&&./more.sh", None),
        ("./check.sh; ./more.sh", None),
        ("LOG=/tmp/log ./check.sh", None),
    ] {
        let quoted = serde_json::Value::from(line);
        let rules = read(&format!("statuses:\n  Review: {{beforeTransition: {{shell: {quoted}}}}}\n")).unwrap();
        let before = rules.columns[&Column::from("Review")].before.clone().unwrap();
        assert_eq!(before, Hook::Shell { line: line.into(), file: file.map(Into::into) });
    }
}

#[test]
fn the_scripts_that_a_hook_runs_belong_to_the_gate_and_what_they_work_on_does_not() {
    #[rustfmt::skip]
    let files = [
        "hooks/check.sh", "my checks/a.py", "CHANGELOG.md", "src/app.js", "Cargo.toml", "tests/a.py", "tools/made", "LOCK", "/bin/sh",
    ];
    let at = |file: &Path| Path::new("/project").join(file).components().collect::<std::path::PathBuf>();
    let is_executable = |path: &Path| {
        let file = files.iter().find(|file| at(path) == at(file.as_ref()))?;
        Some(["hooks/check.sh", "tools/made"].contains(file))
    };
    for (line, scripts) in [
        ("sh hooks/check.sh", "hooks/check.sh"),
        ("python3 -u 'my checks/a.py' --all", "my checks/a.py"),
        ("sh -o errexit hooks/check.sh", "hooks/check.sh"),
        ("bash -eu -o pipefail hooks/check.sh", "hooks/check.sh"),
        ("/bin/sh hooks/check.sh src/app.js", "hooks/check.sh"),
        ("./hooks/check.sh src/app.js", "hooks/check.sh"),
        ("STRICT=1 ./hooks/check.sh", "hooks/check.sh"),
        ("env -u A X=1 ./hooks/check.sh Cargo.toml", "hooks/check.sh"),
        ("/usr/bin/env sh hooks/check.sh", "hooks/check.sh"),
        ("timeout -s KILL 30 nice -n 5 ./hooks/check.sh", "hooks/check.sh"),
        ("exec ./hooks/check.sh", "hooks/check.sh"),
        (". ./hooks/check.sh", "hooks/check.sh"),
        ("sudo -u me ./hooks/check.sh", "hooks/check.sh"),
        ("git ls-files | xargs -n 1 ./hooks/check.sh", "hooks/check.sh"),
        ("cd hooks && ./check.sh", "hooks/check.sh"),
        ("\"$PWD/hooks/check.sh\"", "hooks/check.sh"),
        ("${PWD}/hooks/check.sh", "hooks/check.sh"),
        ("sh \"$PWD\"/hooks/check.sh", "hooks/check.sh"),
        ("cd hooks && $PWD/check.sh", "hooks/check.sh"),
        ("\"$(pwd)/hooks/check.sh\" x", "hooks/check.sh"),
        ("cd \"$(git rev-parse --show-toplevel)\" && hooks/check.sh", "hooks/check.sh"),
        ("(cd hooks; sh check.sh)|cat", "hooks/check.sh"),
        ("test -n x && ./hooks/check.sh", "hooks/check.sh"),
        ("if ! ./hooks/check.sh; then exit 1; fi", "hooks/check.sh"),
        ("./hooks/check.sh&&python3 'my checks/a.py'", "hooks/check.sh, my checks/a.py"),
        ("sh -c 'cd hooks && ./check.sh'", "hooks/check.sh"),
        ("sh -c \"./hooks/check.sh 'a;b'\"", "hooks/check.sh"),
        (
            "# what we don't ship\n./hooks/check.sh # and why\npython3 'my checks/a.py'\n",
            "hooks/check.sh, my checks/a.py",
        ),
        ("echo '# none' \\# a#b && ./hooks/check.sh", "hooks/check.sh"),
        ("make check # ./hooks/check.sh", ""),
        ("/usr/local/bin/python3.12 'my checks/a.py' Cargo.toml", "my checks/a.py"),
        ("npx tsx src/app.js", "src/app.js"),
        ("sh < hooks/check.sh", "hooks/check.sh"),
        ("python3 -u <'my checks/a.py'", "my checks/a.py"),
        ("cat hooks/check.sh | sh -eu", "hooks/check.sh"),
        ("sed s/A/B/ 'my checks/a.py' | tee log | python3", "my checks/a.py"),
        ("flock LOCK hooks/check.sh tools/made", "hooks/check.sh, tools/made"),
        ("flock -n LOCK python3 'my checks/a.py' Cargo.toml", "my checks/a.py"),
        ("deno run 'my checks/a.py'", "my checks/a.py"),
        ("./hooks/check.sh tools/made", "hooks/check.sh"),
        ("test -x tools/made", ""),
        ("[ -x tools/made ] || shellcheck tools/made", ""),
        ("cat Cargo.toml | python3 -m json.tool", ""),
        ("grep -q x CHANGELOG.md || sh -c 'exit 1'", ""),
        ("notify-send done", ""),
        ("cat CHANGELOG.md", ""),
        ("cargo test --manifest-path Cargo.toml", ""),
        ("timeout 30 cargo test --manifest-path ./Cargo.toml", ""),
        ("python3 -m pytest tests/a.py", ""),
        ("perl -ne 'print if /x/' src/app.js", ""),
        ("echo 'x; ./hooks/check.sh'", ""),
        ("make check", ""),
        ("sh", ""),
        ("sh 'open", ""),
    ] {
        let found = super::script::scripts(line, &is_executable).files;
        let found: Vec<String> = found.iter().map(|path| path.components().as_path().display().to_string()).collect();
        assert_eq!(found.join(", ").replace("./", ""), scripts, "{line}");
    }
}

#[test]
fn a_program_by_its_bare_name_has_to_be_on_path() {
    for (line, program) in [
        ("cargo test --all", Some("cargo")),
        ("STRICT=1 make check | tee log", Some("make")),
        ("\"notify-send\" done", Some("notify-send")),
        ("PATH=bin:$PATH check", None),
        ("test -e made && make check", None),
        ("until make check; do sleep 1; done", None),
        ("(make check)", None),
        ("$MAKE check", None),
        ("./check.sh", None),
        ("check() { make check; }; check", None),
        ("exit 1", None),
        ("shopt -s globstar", None),
        ("# make\nmake check", None),
        ("", None),
    ] {
        assert_eq!(super::script::bare_program(line).as_deref(), program, "{line}");
    }
}

#[test]
fn a_script_that_is_not_there_is_told_where_it_is_certain_that_it_would_be_run() {
    for (line, missing) in [
        ("sh hooks/none.sh", Some("hooks/none.sh")),
        ("python3 none.py --all", Some("none.py")),
        ("\"$PWD/hooks/none.sh\"", Some("./hooks/none.sh")),
        ("STRICT=1 timeout 10 hooks/none.sh", Some("hooks/none.sh")),
        ("cd hooks && ./none.sh", Some("hooks/./none.sh")),
        ("sh -c 'cd hooks && ./none.sh'", Some("hooks/./none.sh")),
        ("sh < hooks/none.sh", Some("hooks/none.sh")),
        // The shell's own affair, or what a program is given.
        ("sh $HOOKS/none.sh", None),
        ("sh ~/none.sh", None),
        ("flock LOCK hooks/none.sh", None),
        ("node --test tests/", None),
        ("python3 -m pytest tests/none.py", None),
        ("deno run hooks/none.ts", None),
        ("LOG=logs/none.log make check", None),
        // It may be made, or looked for, before.
        ("make tools/none && tools/none", None),
        ("[ -x hooks/none.sh ] && hooks/none.sh", None),
    ] {
        let found = super::script::scripts(line, &|_| None).missing;
        assert_eq!(found.as_deref(), missing.map(Path::new), "{line}");
    }
}

#[test]
fn values_of_the_wrong_kind_or_out_of_range_are_refused_key_by_key() {
    #[rustfmt::skip]
    let table: [(&str, &[&str], &str); 15] = [
        ("prompt", &["[a]", "{a: b}", "true"], "`prompt` must be text"),
        ("promptFile", &["[a]", "{a: b}"], "`promptFile` must be text"),
        ("onPass", &["[Done]", "{Done: 1}", "true"], "`onPass` must be text"),
        ("onFail", &["[Done]"], "`onFail` must be text"),
        ("onExhausted", &["[Done]"], "`onExhausted` must be text"),
        ("onFail", &["", "''", "' '", "~"], "`onFail` has no value: fill it in or remove it"),
        ("maxAttempts", &["0", "-1", "1.5", "1001", "three", "[3]", ""], "`maxAttempts` must be a number from 1 to 1000"),
        ("k", &["0", "-1", "1001", "many"], "`k` must be a number from 1 to 1000"),
        ("require", &["0", "'3'", "1001"], "`require` must be a number from 1 to 1000"),
        ("threshold", &["1.1", "-0.1", ".nan", ".inf", "high"], "`threshold` must be a number from 0 to 1"),
        ("requireChanges", &["1", "'true'", "yes"], "`requireChanges` is true or false"),
        ("redGreen", &["0", "[]"], "`redGreen` is true or false"),
        ("onFailWork", &["reset", "true", "[keep]", ""], "`onFailWork` is keep, stash or revert"),
        ("evidence", &["[]", "diff", "[changes, diff]", "{changes: true}", ""], "`evidence` is a list of `message` and `changes`"),
        ("beforeTransition", &["./x.sh", "{}", "{shell: ''}", "{shell: a, js: b}", "{ruby: a}", "[a]", "{js: 1}"], "a hook is one of `shell` and `js`"),
    ];
    for (key, values, expected) in table {
        for value in values {
            let problems = read(&format!("statuses:\n  Review:\n    onPass: Done\n    {key}: {value}\n"));
            // The one rule says `onPass` already.
            let problems = match key {
                "onPass" => read(&format!("statuses:\n  Review:\n    maxAttempts: 1\n    {key}: {value}\n")),
                _ => problems,
            };
            let problems = problems.expect_err(value);
            assert_eq!(problems.len(), 1, "{key}: {value}: {problems:?}");
            let first = problems[0].lines().next().unwrap_or_default();
            assert_eq!(first, format!("transitions.yaml:4:5: {expected}"), "{key}: {value}");
        }
    }
}

#[test]
fn columns_are_created_only_where_that_is_allowed() {
    let text = "statuses:\n  Triage: {onPass: Archive, onFail: Parked, onExhausted: Bin}\n";
    assert_eq!(read(text).unwrap_err().len(), 4);
    assert!(read(&format!("createColumns: true\n{text}")).is_ok());
    // Without a board there is nothing to check against.
    assert!(parse(text, "transitions.yaml", Path::new("/board"), None).is_ok());
}

#[test]
fn rings_of_on_fail_edges_are_found_wherever_they_begin() {
    let rules = |edges: &[(&str, &str, &str)]| {
        let line = |(from, to, more): &(&str, &str, &str)| format!("  {from}: {{onFail: {to}{more}}}\n");
        read(&format!("statuses:\n{}", edges.iter().map(line).collect::<String>()))
    };
    let ring = rules(&[("Backlog", "In Progress", ""), ("In Progress", "Review", ""), ("Review", "In Progress", "")]);
    let [problem] = &ring.unwrap_err()[..] else { panic!("one ring is one problem") };
    assert!(
        problem
            .starts_with("transitions.yaml:3:17: the `onFail` edges go in a ring: In Progress → Review → In Progress"),
        "{problem}"
    );
    // Two rings are two problems.
    let two = rules(&[
        ("Backlog", "Needs Specs", ""),
        ("Needs Specs", "Backlog", ""),
        ("In Progress", "Review", ""),
        ("Review", "In Progress", ""),
    ]);
    assert_eq!(two.unwrap_err().len(), 2);
    // A limit on the way into a ring limits nothing in it.
    let way_in =
        [("Backlog", "In Progress", ", maxAttempts: 1"), ("In Progress", "Review", ""), ("Review", "In Progress", "")];
    assert_eq!(rules(&way_in).unwrap_err().len(), 1);
    for limited in 1..3 {
        let mut edges = way_in;
        edges[limited].2 = ", maxAttempts: 1";
        assert!(rules(&edges).is_ok(), "limited at {}", edges[limited].0);
    }
}
