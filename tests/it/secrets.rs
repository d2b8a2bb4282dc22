//! No secret reaches what the program writes: tokens of every shape in `tests/secrets/shapes.tsv` are planted wherever a
//! text comes from, and then nothing of them may be left.
//!
//! The user's own bytes are exempt: the board's cards, `CACHE_DIR/inputs` (tests, rules and hooks as they were accepted)
//! and `CACHE_DIR/git` (the trees before and after attempts, which the gate judges by).

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod chance;
mod ordinary;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kanban_codex_exec::redact::Redactor;
use serde_json::json;

use crate::support::{Outcome, World, picture};
use tokens::{Search, Token, at};

const RULES: &str = "\
statuses:
  In Progress:
    prompt: Implement the card.
    onPass: Review
    maxAttempts: 2
    k: 400
    require: 2
    evidence: [message, changes]
    beforeTransition: { shell: ./hooks/before.sh }
  Review:
    prompt: Review the card.
    onPass: Done
    onFail: In Progress
    require: 1
    evidence: [changes]
    afterTransition: { shell: ./hooks/after.sh }
";

/// Prints what a test left beside the repository, changes files, and does the work once it is allowed to.
const CODEX: &str = r#"raw
begin
cat "$WORLD/events"; cat "$WORLD/stderr" >&2; printenv; printenv >&2
mkdir -p made
cp "$WORLD"/changed-* made
if [ -e made/keys.txt ]; then sed -n 's/^/ /; 1~9p' made/keys.txt >>made/keys.txt; sed -i '8~15s/$/ /' made/keys.txt
else cp "$WORLD/keys" made/keys.txt; fi
if [ -e "$WORLD/good" ]; then make made; fi
cp "$WORLD/message" "$last"
complete
"#;

/// Who planted what.
#[derive(Default)]
struct Planted(BTreeMap<&'static str, Vec<Token>>);

impl Planted {
    fn at(&mut self, place: &'static str) -> &[Token] {
        self.0.entry(place).or_insert_with(|| at(place))
    }

    fn search(&self) -> Search {
        Search::new(self.0.iter().map(|(place, tokens)| (*place, tokens.as_slice())))
    }
}

/// Each token in lines of its own.
fn lines(tokens: &[Token]) -> String {
    tokens.iter().map(|token| format!("{}\n\n", token.text)).collect()
}

/// Each token on one line, all in one.
fn line(tokens: &[Token], between: &str) -> String {
    tokens.iter().map(Token::line).collect::<Vec<_>>().join(between)
}

/// At least `size` bytes of tokens.
fn many(tokens: &[Token], size: usize) -> String {
    let once = line(tokens, "\n") + "\n";
    once.repeat(size.div_ceil(once.len()))
}

/// What leaked into the world's files and what the program said.
fn leaks(world: &World, planted: &Planted, own: &str, said: &[(String, Outcome)]) -> BTreeSet<String> {
    let search = planted.search();
    let mut leaks = BTreeSet::new();
    for (path, bytes) in picture(&world.cache("")).files() {
        let name = path.strip_prefix(world.cache("")).unwrap();
        if !["inputs", "git"].iter().any(|exempt| name.starts_with(exempt)) {
            leaks.extend(search.leaks(&name.display().to_string(), bytes));
        }
    }
    let own: BTreeSet<&str> = own.lines().collect();
    let written: Vec<String> =
        world.board().lines().filter(|line| !own.contains(line)).map(|line| line.to_owned()).collect();
    leaks.extend(search.leaks("board", written.join("\n").as_bytes()));
    for (args, outcome) in said {
        leaks.extend(search.leaks(&format!("stdout of {args}"), outcome.stdout.as_bytes()));
        leaks.extend(search.leaks(&format!("stderr of {args}"), outcome.stderr.as_bytes()));
    }
    leaks
}

#[track_caller]
fn assert_none(leaks: BTreeSet<String>) {
    let list: Vec<String> = leaks.into_iter().collect();
    assert!(list.is_empty(), "{} secrets leaked:\n  {}\n", list.len(), list.join("\n  "));
}

/// Events in which codex tells of a command's output, as several JSON writers write it.
fn events(tokens: &[Token]) -> String {
    let mut events = String::new();
    for (number, token) in tokens.iter().enumerate() {
        let nested = json!({ "output": token.text }).to_string();
        let item = |text: &str| json!({ "id": format!("item_{number}"), "type": "command_execution", "text": text });
        for text in [&token.text, &nested, &nested.replace('/', "\\/")] {
            let event = json!({ "type": "item.completed", "item": item(text) }).to_string();
            events.push_str(&format!("{event}\n{}\n", event.replace('/', "\\/")));
        }
    }
    events
}

/// A world in which every text holds a token of each shape.
fn planted_everywhere(planted: &mut Planted) -> (World, String) {
    let body: String = lines(planted.at("body")).lines().map(|line| format!("      {line}\n")).collect();
    let title = line(planted.at("title"), " ; ");
    // Two cards of one id are refused, which is a matter for the log.
    let card = format!("- [ ] KB-1 #all first {title}\n{body}- [ ] KB-2 {title}\n- [ ] KB-2 {title}\n");
    let mut tests = "@made #all Made :: includes[made/*.txt]:made for KB\n\
        @check #all Checked :: shell:sh check.sh\n"
        .to_owned();
    let mut changed = vec![String::new(); 10];
    // A line that is like what a test looks for is quoted, and the quotation is cut somewhere in the token.
    for (number, token) in planted.at("file").iter().enumerate() {
        let words = format!("the line that test {number} wants {}", "and a little more ".repeat(number % 8));
        changed[number % 10].push_str(&format!("{words}{}\n", token.line()));
        let file = format!("made/changed-{}.txt", number % 10);
        tests.push_str(&format!("@near-{number} #all :: includes[{file}]:{words}to be here\n"));
    }
    let world = World::new(&card)
        .with("transitions.yaml", RULES)
        .with("tests.txt", &tests)
        .codex(CODEX)
        .env("ALLOW_SHELL_TESTS", "true")
        .env("SHELL_TEST_ALLOWLIST", "sh check.sh")
        .with("check.sh", "cat \"$WORLD/test\"; cat \"$WORLD/test-stderr\" >&2; [ -e \"$WORLD/good\" ]\n")
        .program("hooks/before.sh", "#!/bin/sh\ncat \"$WORLD/hook\"; printenv; [ -e \"$WORLD/open\" ]\n")
        .program("hooks/after.sh", "#!/bin/sh\ncat >&2; cat \"$WORLD/hook\" >&2; exit 1\n");
    let beside = |name: &str, text: String| fs::write(world.path(name), text).unwrap();
    let own = world.board();
    for (number, changed) in changed.into_iter().enumerate() {
        beside(&format!("changed-{number}.txt"), changed);
    }
    beside("keys", lines(planted.at("keys")));
    // More than is kept of a test's and a hook's output, and a line of 1 MB.
    beside("test", many(planted.at("test"), 1_100_000));
    beside("test-stderr", lines(planted.at("test's stderr")));
    beside("hook", many(planted.at("hook"), 270_000));
    beside("stderr", lines(planted.at("stderr")) + &line(planted.at("stderr"), ","));
    let long = json!({ "type": "item.completed", "item": { "text": many(planted.at("long line"), 1_000_000) } });
    beside("events", events(planted.at("events")) + &long.to_string() + "\n");
    beside("message", lines(planted.at("message")));
    let mut world = world;
    for (number, token) in planted.at("innocent variable").iter().enumerate() {
        world = world.env(&format!("NOTE_{number}"), &token.text);
    }
    for (number, token) in planted.at("variable").iter().enumerate() {
        world = world.env(&format!("SHAPE_{number}_TOKEN"), token.secret());
    }
    (world, own)
}

#[test]
fn nothing_that_is_written_holds_a_secret() {
    let mut planted = Planted::default();
    let (world, own) = planted_everywhere(&mut planted);
    let mut said = Vec::new();
    let mut run = |args: &[&str], code: i32| {
        let outcome = world.run(args).exits(code);
        said.push((args.join(" ").chars().take(60).collect(), outcome));
    };
    run(&["print-plan"], 0);
    run(&["print-plan", "--format", "json"], 0);
    run(&["dry-run"], 0);
    run(&["dry-run", "--format", "json"], 0);
    // Two attempts that fail; the second is told what was wrong with the first.
    run(&["run", "--format", "json"], 0);
    assert_eq!(world.executions().len(), 2);
    let feedback = world.prompt("KB-1.2");
    assert!(feedback.contains("Tests that failed") && feedback.contains("nearest: made/changed-"), "{feedback}");
    let token = planted.at("arguments")[0].clone();
    run(&["retry", &token.text], 2);
    run(&["run", &format!("--bogus={}", token.text)], 2);
    run(&["run", "--k-min", &token.text], 2);
    run(&["retry", "KB-1"], 0);
    fs::write(world.path("good"), "").unwrap();
    run(&["run"], 0);
    assert_eq!(world.places(), ["KB-1: In Progress", "KB-2: In Progress", "KB-2: In Progress"], "it was vetoed");
    fs::write(world.path("open"), "").unwrap();
    run(&["run", "--format", "json"], 0);
    assert_eq!(world.places(), ["KB-2: In Progress", "KB-2: In Progress", "KB-1: Done"]);
    for format in ["html", "markdown", "junit", "json"] {
        run(&["report", "--format", format], 0);
    }
    assert!(world.cache("logs/run.log").exists(), "nothing was logged");
    assert_none(leaks(&world, &planted, &own, &said));
}

#[test]
fn a_killed_run_and_its_recovery_leave_no_secret() {
    let mut planted = Planted::default();
    let world = World::new("- [ ] KB-1 first @made\n").codex(
        "cat \"$WORLD/text\"; cat \"$WORLD/text\" >&2; cp \"$WORLD/text\" made.txt; cp \"$WORLD/text\" \"$last\"\n\
         case $WORLD/$step in *Implement) [ -e \"$WORLD/waiting\" ] || wait_for never;; esac; make made; make checked",
    );
    fs::write(world.path("text"), lines(planted.at("text")) + &line(planted.at("one line"), " ")).unwrap();
    let own = world.board();
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    let of_codex = ["attempts/KB-1.1/message.md"];
    running.kill();
    let mut found = leaks(&world, &planted, &own, &[]);
    found.retain(|leak| !of_codex.iter().any(|file| leak.starts_with(file)));
    assert_none(found);

    let outcome = world.run(&["run", "--format", "json"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_none(leaks(&world, &planted, &own, &[("run".to_owned(), outcome)]));
}

#[test]
fn what_is_cut_is_redacted_before() {
    let mut planted = Planted::default();
    let cards = "- [ ] KB-1 fails @made\n- [ ] KB-2 says much @made\n- [ ] KB-3 edits the tests @made\n";
    let script = "raw\nbegin\ncase $card in\nKB-1) cat \"$WORLD/failed\"; exit 1;;\nKB-2) cat \"$WORLD/much\";;\n\
        KB-3) cat \"$WORLD/lines\" >>tests.txt;;\nesac\ncomplete\n";
    let rules =
        "statuses:\n  In Progress:\n    prompt: Implement the card.\n    maxAttempts: 1\n    evidence: [message]\n";
    let world = World::new(cards).with("transitions.yaml", rules).codex(script);
    let own = world.board();
    // Wherever the cut is, it is in a token.
    let failed = json!({ "type": "turn.failed", "error": { "message": line(planted.at("failure"), " ") } });
    let item = json!({ "id": "item_0", "type": "agent_message", "text": many(planted.at("message"), 1_200_000) });
    let much = json!({ "type": "item.completed", "item": item });
    let lines: String = planted.at("tests").iter().map(|token| format!("# {:60} {}\n", "", token.line())).collect();
    for (name, text) in [("failed", failed.to_string()), ("much", much.to_string()), ("lines", lines)] {
        fs::write(world.path(name), text + "\n").unwrap();
    }
    let mut said = vec![("run".to_owned(), world.run(&["run"]).exits(0))];
    assert_eq!(world.executions().len(), 3);
    assert_eq!(world.records("judged").last().unwrap()["verdict"], "tampered");
    said.push(("accept".to_owned(), world.run(&["accept"]).exits(0)));
    assert_none(leaks(&world, &planted, &own, &said));
}

#[test]
fn a_secret_that_comes_in_two_pieces_is_found() {
    let mut planted = Planted::default();
    let mut pieces = vec![String::new()];
    for (number, token) in planted.at("pieces").iter().enumerate() {
        // In its prefix, in its middle, before its last character, in an escape.
        let text = format!("{}\n", token.line());
        let escape = text.find('\\').map_or(1, |at| at + 1);
        let at = [2, text.len() / 2, text.len() - 2, escape][number % 4];
        pieces.last_mut().unwrap().push_str(&text[..at]);
        pieces.push(text[at..].to_owned());
    }
    let script = "raw\nbegin\nfor piece in \"$WORLD\"/pieces/*; do cat \"$piece\"; cat \"$piece\" >&2; sleep 0.002; done\n\
        make made; make checked\nsay done\ncomplete";
    let world = World::new("- [ ] KB-1 first @made\n").codex(script);
    let own = world.board();
    fs::create_dir(world.path("pieces")).unwrap();
    for (number, piece) in pieces.iter().enumerate() {
        fs::write(world.path(&format!("pieces/{number:04}")), piece).unwrap();
    }
    let outcome = world.run(&["run", "--max-cards", "1"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    assert_none(leaks(&world, &planted, &own, &[("run".to_owned(), outcome)]));
}

#[test]
fn a_stream_that_is_cut_anywhere_gives_no_secret() {
    let mut planted = Planted::default();
    let redactor = Redactor::default();
    let mut out = Vec::new();
    for token in planted.at("stream") {
        for text in [format!("{}\n", token.line()), format!("- {}\n", token.text)] {
            // A private key is long and every line of it alike.
            for at in (0..text.len()).filter(|at| *at < 200 || text.len() - at < 60) {
                let mut stream = redactor.stream();
                stream.push(&text.as_bytes()[..at], &mut out);
                stream.push(&text.as_bytes()[at..], &mut out);
                stream.finish(&mut out);
            }
        }
    }
    // Far more than is held back of a line: the pieces that it is worked in begin anywhere.
    for between in [" ", ",", "\\n", "\\t-", "\u{1b}[1;32m", "%20"] {
        let long = line(planted.at("long line"), between).repeat(20);
        let mut stream = redactor.stream();
        long.as_bytes().chunks(9999).for_each(|piece| stream.push(piece, &mut out));
        stream.finish(&mut out);
    }
    assert_none(planted.search().leaks("stream", &out));
}
