//! `report`: what became of a board's cards, as a page, a summary, test results and data.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod any_text;
mod browser;
mod output;

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Value, json};

use crate::support::{RULES, TESTS, World, picture};

/// Titles, and a diff, that want to be more than text.
const HOSTILE: &str = "\
- [ ] KB-1 <script>alert(1)</script> @made
- [ ] KB-2 ]]> </title></style> <!-- --> \"quoted\" 'single' &amp; @made
- [ ] KB-3 a | b `code` **bold** [link](javascript:alert(1)) ![x](http://localhost/x.png) @made
- [ ] KB-4 right\u{202e}to\u{2066}left \u{1b}[31mred\u{7} \u{feff} @made
- [ ] KB-5 fixes #1 for @somebody <details open ontoggle=alert(1)> @made
- [ ] KB-6 the key is s<c&r\"et-'value' @made
- [ ] KB-7 <img src=x onerror=alert(1)> nothing belongs to it
";
const SECRET: &str = "s<c&r\"et-'value'";

/// A board that was worked: passes, a bounce, a refusal, a veto, a change of the tests, and hostile texts everywhere.
fn worked(cards: &str) -> World {
    let rules = RULES.replacen("onFail: Needs", "beforeTransition: { shell: ./check.sh }\n    onFail: Needs", 1);
    let world = World::new(cards)
        .with("transitions.yaml", rules)
        .program(
            "check.sh",
            "#!/bin/sh\ncase $KANBAN_CARD_ID:$KANBAN_VERDICT in KB-2:pass) echo 'no </li> & no'; exit 1 ;; esac\n",
        )
        .env("DEPLOY_TOKEN", SECRET)
        .codex(
            "case $card in KB-3) make other ;; KB-5) make made; echo >>tests.txt ;; *) make made ;; esac
             printf '<script>alert(\"diff\")</script>\\n]]>\\n\\033[31m %s\\n' \"$DEPLOY_TOKEN\" >made/evil-$card.txt",
        );
    world.run(&["run"]).exits(0);
    world.write("tests.txt", TESTS);
    world
}

#[track_caller]
fn told(world: &World, format: &str) -> String {
    world.run_beside(&["report", "--format", format]).exits(0).stdout
}

#[track_caller]
fn data(world: &World) -> Value {
    serde_json::from_str(&told(world, "json")).unwrap()
}

#[track_caller]
fn parsed(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn named<'d>(document: &'d Document<'_>, name: &'static str) -> Vec<Node<'d, 'd>> {
    document.descendants().filter(|node| node.has_tag_name(name)).collect()
}

fn text(node: &Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

#[test]
fn the_page_has_every_card_and_needs_nothing_else() {
    let world = worked(HOSTILE);
    let page = world.run(&["report"]).exits(0).stdout;
    let document = parsed(&page);
    let titles: Vec<String> = named(&document, "summary").iter().map(text).collect();
    for card in data(&world)["cards"].as_array().unwrap() {
        let name = card["title"].as_str().unwrap().split(' ').next().unwrap();
        assert!(titles.iter().any(|title| title.starts_with(name)), "{name} is not in {titles:?}");
    }
    let policy = named(&document, "meta").into_iter().find(|meta| meta.attribute("http-equiv").is_some()).unwrap();
    assert!(policy.attribute("content").unwrap().starts_with("default-src 'none'; style-src 'unsafe-inline';"));
    let known = "html head meta title style body header main footer section div p h1 h2 h3 h4 h6 ul ol li dl dt dd details \
                 summary span strong code pre bdi time a ins del svg g path rect text";
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "ids are there once: {ids:?}");
    for node in document.descendants().filter(Node::is_element) {
        assert!(known.contains(node.tag_name().name()), "an element of somebody else's: {:?}", node.tag_name());
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && !["src", "style", "srcdoc"].contains(&name), "{name}={value}");
            assert!(
                name != "href" || value.strip_prefix('#').is_some_and(|id| ids.contains(&id)),
                "{value} leads nowhere"
            );
        }
    }
    for text in ["url(", "@import", "http:", "https:"] {
        assert!(!named(&document, "style").iter().any(|style| style.text().unwrap().contains(text)), "{text}");
    }
}

#[test]
fn a_hostile_text_is_text_in_every_format() {
    let world = worked(HOSTILE);
    for format in ["html", "markdown", "junit"] {
        let told = told(&world, format);
        for raw in
            ["<script>", "<img", "</li> &", "\u{202e}", "\u{2066}", "\u{1b}", "\u{7}", "\u{feff}", "ontoggle=alert(1)>"]
        {
            assert!(!told.contains(raw), "{format}: {raw:?}");
        }
        assert!(told.contains("\\u{202e}"), "{format}: what is hidden is written out");
    }
    for format in ["html", "markdown", "junit", "json"] {
        let told = told(&world, format);
        assert!(told.replace('\\', "").contains("[REDACTED:DEPLOY_TOKEN]"), "{format}: {told}");
        for escaped in [SECRET, "s&lt;c&amp;r", "s<c&r", "r\\\"et-"] {
            assert!(!told.contains(escaped), "{format}: the secret as {escaped}");
        }
    }
    // Without what is escaped.
    let escaped = regex::Regex::new(r"\\.").unwrap();
    let markdown = told(&world, "markdown");
    let markdown = escaped.replace_all(&markdown, "");
    for markup in ["@made", "@somebody", "#1 ", "](", "`code`", "**bold**", "| b "] {
        let line = markdown.lines().find(|line| line.contains(markup) && line.contains("KB-"));
        assert_eq!(line, None, "{markup}");
    }
    let cells = |line: &str| line.matches('|').count() - 1;
    let rows: Vec<usize> = markdown.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    assert_eq!(rows, [7; 8], "{markdown}");
}

#[test]
fn evidence_leads_to_its_line_in_the_attempts_changes() {
    let world = worked("- [ ] KB-1 first @made\n");
    let page = told(&world, "html");
    let document = parsed(&page);
    let links: Vec<_> = named(&document, "a").into_iter().filter(|link| text(link) == "made/KB-1.txt:1").collect();
    assert_eq!(links.len(), 2, "one in each column");
    for link in links {
        let id = link.attribute("href").unwrap().strip_prefix('#').unwrap();
        let line = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
        assert_eq!(&text(&line)[1..], "made for KB-1", "as added, or as it stood when it was judged again");
    }
}

#[test]
fn the_summary_is_a_table_with_the_reasons_below_it() {
    let world = worked(
        "- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n- [ ] KB-3 third @made\n- [ ] KB-7 nothing knows it\n",
    );
    let times = regex::Regex::new(r"\d+\.\d s").unwrap();
    insta::assert_snapshot!("report_markdown", times.replace_all(&told(&world, "markdown"), "TIME"));
}

#[test]
fn test_results_have_the_shape_that_is_known_as_junit() {
    let world = worked(HOSTILE);
    let told = told(&world, "junit");
    let document = parsed(&told);
    let root = document.root_element();
    let count = |node: Node<'_, '_>, name: &'static str| {
        node.descendants().filter(|node| node.has_tag_name(name)).count().to_string()
    };
    assert_eq!(root.tag_name().name(), "testsuites");
    let suites: Vec<Node<'_, '_>> = root.children().filter(Node::is_element).collect();
    assert_eq!(suites.len(), 7);
    for node in suites.iter().copied().chain([root]) {
        assert!(node == root || node.has_tag_name("testsuite"), "{node:?}");
        let tags = [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")];
        for (attribute, tag) in tags {
            assert_eq!(node.attribute(attribute), Some(count(node, tag).as_str()), "{attribute} of {node:?}");
        }
        assert!(node.attribute("time").unwrap().parse::<f64>().unwrap() >= 0.0);
    }
    for case in named(&document, "testcase") {
        assert!(["name", "classname", "time"].iter().all(|name| case.has_attribute(*name)), "{case:?}");
        let outcomes: Vec<&str> = case.children().filter(Node::is_element).map(|node| node.tag_name().name()).collect();
        assert!(matches!(outcomes[..], [] | ["failure" | "error" | "skipped"]), "{outcomes:?}");
    }
    let gate = |card: &str| {
        let cases = named(&document, "testcase").into_iter();
        let gate = cases
            .filter(|case| case.attribute("classname") == Some(card))
            .find(|case| case.attribute("name") == Some("gate"));
        let outcome = gate.unwrap().children().find(Node::is_element);
        outcome.map(|outcome| {
            (outcome.tag_name().name().to_owned(), outcome.attribute("type").unwrap_or_default().to_owned())
        })
    };
    let is = |tag: &str, kind: &str| Some((tag.to_owned(), kind.to_owned()));
    assert_eq!(gate("KB-1"), None);
    assert_eq!(gate("KB-2"), is("failure", "vetoed"));
    assert_eq!(data(&world)["totals"]["vetoed"], 1);
    assert_eq!(gate("KB-3"), is("failure", "failed"));
    assert_eq!(gate("KB-5"), is("failure", "tampered"));
    assert_eq!(gate("KB-7"), is("skipped", ""));
}

#[test]
fn a_test_that_a_passed_gate_did_not_need_fails_no_build() {
    let world = World::new("- [ ] KB-1 first @made @checked\n").env("K_REQ", "1");
    world.run(&["run"]).exits(0);
    assert_eq!(world.places(), ["KB-1: Done"]);
    let told = told(&world, "junit");
    let document = parsed(&told);
    assert_eq!(document.root_element().attribute("failures"), Some("0"), "{told}");
    let skipped = named(&document, "skipped");
    assert!(skipped[0].attribute("message").unwrap().starts_with("not needed: `checked for KB` is not in"), "{told}");
}

#[test]
fn the_data_are_one_object_with_a_version() {
    let world = worked("- [ ] KB-1 first @made\n- [ ] KB-3 third @made\n");
    let story = data(&world);
    assert_eq!((&story["version"], &story["source"]), (&json!(1), &json!("board.md")));
    let totals = &story["totals"];
    assert_eq!((&totals["promoted"], &totals["bounced"], &totals["tokens"]), (&json!(2), &json!(1), &json!(360)));
    let ways = story["ways"].as_array().unwrap();
    let moves = |from: &str, on: &str| {
        let way = ways.iter().find(|way| way["from"] == from && way["on"] == on).unwrap();
        (way["to"].as_str().unwrap(), way["moves"].as_u64().unwrap())
    };
    assert_eq!(moves("In Progress", "pass"), ("Review", 1));
    assert_eq!(moves("In Progress", "fail"), ("Needs Specs", 1));
    assert_eq!(moves("Review", "fail"), ("In Progress", 0));
    let first = story["cards"].as_array().unwrap().iter().find(|card| card["id"] == "KB-1").unwrap();
    assert_eq!((&first["column"], &first["fate"], &first["next"]), (&json!("Done"), &json!("passed"), &Value::Null));
    let attempts = first["attempts"].as_array().unwrap();
    assert_eq!(
        attempts.iter().map(|attempt| attempt["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["KB-1.1", "KB-1.2"]
    );
    assert!(attempts[0]["patch"]["text"].as_str().unwrap().contains("+made for KB-1\n"));
    assert_eq!(first["selection"]["tests"][0]["id"], "made");
    let mut keys = BTreeSet::new();
    collect_keys(&story, &mut keys);
    let other: Vec<&String> = keys.iter().filter(|key| !key.chars().all(|char| char.is_ascii_alphanumeric())).collect();
    assert_eq!(other, [] as [&String; 0], "keys are camelCase");
}

fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                keys.insert(key.clone());
                collect_keys(value, keys);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Of one run, that is what its summary says, whatever way a card went.
#[test]
fn the_totals_are_those_of_the_runs_summary() {
    let rules = RULES.replacen("onFail: Needs Specs", "maxAttempts: 2\n    onExhausted: Blocked", 1);
    let cards = "- [ ] KB-1 first @made\n- [ ] KB-2 second @made\n- [ ] KB-3 third\n- [ ] KB-4 fourth @made\n";
    let script = "case $card in KB-2) make other ;; KB-4) [ $step = Review ] && rm -f made/KB-4.txt || make made ;; *) make made ;; esac";
    let world = World::new(cards).with("transitions.yaml", rules).codex(script);
    world.run(&["run"]).exits(0);
    let (totals, summary) = (&data(&world)["totals"], &world.records("summary")[0]);
    for count in ["promoted", "bounced", "unverified", "failed"] {
        assert_eq!(totals[count], summary[count], "{count}: {totals} {summary}");
    }
}

#[test]
fn what_people_did_and_what_is_no_longer_on_the_board_is_told() {
    let world = worked("- [ ] KB-1 first @made\n- [ ] KB-3 third @made\n");
    world.run(&["skip", "KB-3"]).exits(0);
    world.edit("board.md", "## Needs Specs\n", "## Needs Specs\n\n- [ ] KB-9 broken ^dup\n- [ ] KB-9 broken ^dup\n");
    let line = world.board().lines().find(|line| line.contains("] KB-1 ")).unwrap().to_owned();
    let without: String =
        world.board().lines().filter(|other| *other != line).map(|line| format!("{line}\n")).collect();
    world.write("board.md", without.replace("## Backlog\n", &format!("## Backlog\n\n{line}\n")));
    world.run(&["run"]).exits(0);
    let story = data(&world);
    let ways = story["ways"].as_array().unwrap();
    assert!(
        ways.iter().any(|way| way["on"] == "person" && way["to"] == "Backlog" && way["ruled"] == false),
        "{ways:?}"
    );
    let refused = |notice: &Value| notice.as_str().unwrap().starts_with("not read: ");
    assert!(story["notices"].as_array().unwrap().iter().any(refused), "{}", story["notices"]);
    world.write("board.md", crate::support::board::with(""));
    let story = data(&world);
    let gone: Vec<(&Value, &Value)> =
        story["cards"].as_array().unwrap().iter().map(|card| (&card["id"], &card["column"])).collect();
    assert_eq!(gone, [(&json!("KB-1"), &Value::Null), (&json!("KB-3"), &Value::Null)]);
    assert!(told(&world, "html").contains("gone from the board"));
}

#[test]
fn an_attempt_is_told_as_open_until_its_end_is_known() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("[ -e \"$WORLD/go\" ] || wait_for go; make made");
    let fates = |world: &World| {
        let card = data(world)["cards"][0].clone();
        let attempts = card["attempts"].as_array().unwrap().iter();
        let attempts: Vec<String> = attempts.map(|attempt| attempt["fate"].as_str().unwrap().to_owned()).collect();
        (card["fate"].as_str().unwrap().to_owned(), attempts.join(" "))
    };
    let running = world.start(&["run"]);
    world.wait_for("waiting");
    assert_eq!(fates(&world), ("open".into(), "open".into()));
    running.kill();
    assert_eq!(fates(&world), ("open".into(), "open".into()), "nobody has looked yet");
    std::fs::write(world.path("go"), "").unwrap();
    world.run(&["run"]).exits(0);
    assert_eq!(fates(&world), ("passed".into(), "interrupted passed passed".into()));
    world.run(&["report"]).exits(0).says("it was interrupted; that costs the card nothing");
}

#[test]
fn work_that_was_taken_back_is_told_with_the_way_to_it() {
    let rules = RULES.replace("onFail: Needs Specs", "onFailWork: stash\n    maxAttempts: 1");
    let world = World::new("- [ ] KB-1 first @made\n").with("transitions.yaml", rules).codex("make other");
    world.run(&["run"]).exits(0);
    let taken = data(&world)["cards"][0]["attempts"][0]["takenBack"].clone();
    assert_eq!(taken["files"], 1, "{taken}");
    world.run(&["report"]).exits(0).says("Its work was taken back: 1 file. It is kept: <code>git ");
}

#[test]
fn a_board_that_was_never_worked_is_a_page_too() {
    let world = World::new("- [ ] KB-1 first @made\n");
    let page = world.run(&["report"]).exits(0).says("Nothing was done yet.").stdout;
    assert!(parsed(&page).root_element().has_tag_name("html"));
    world
        .run(&["report", "--format", "markdown"])
        .exits(0)
        .says("| KB-1 first @&#8203;made | In Progress | not worked |");
    world.run(&["report", "--format", "junit"]).exits(0).says("tests=\"0\"");
    world.write("board.md", crate::support::board::with(""));
    world.run(&["report"]).exits(0).says("The board has no cards.");
}

#[test]
fn a_long_patch_is_cut_and_says_so() {
    let world = World::new("- [ ] KB-1 first @made\n").codex("make made; seq 1 40000 >made/numbers.txt");
    world.run(&["run", "--max-cards", "1"]);
    world.run(&["report"]).exits(0).says("KiB more are in the attempt's changes.patch");
    let patch = &data(&world)["cards"][0]["attempts"][0]["patch"];
    assert!(patch["leftOut"].as_u64().unwrap() > 100_000, "{}", patch["leftOut"]);
    assert!(patch["text"].as_str().unwrap().len() <= 64 << 10);
}

#[test]
fn it_writes_nothing_and_says_twice_the_same() {
    let world = worked(HOSTILE);
    let before = picture(&world.path("repo"));
    let both = || ["html", "markdown", "junit", "json"].map(|format| told(&world, format));
    assert_eq!(both(), both());
    assert_eq!(before.changes(&picture(&world.path("repo"))), [] as [std::path::PathBuf; 0]);
    std::fs::remove_dir_all(world.cache("attempts")).unwrap();
    told(&world, "html");
}
