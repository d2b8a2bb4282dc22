//! The architecture's rules, kept by reading the source. Each rule tells all its offenders.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use source::{Source, all, root};

/// What decides and never acts.
#[rustfmt::skip]
const PURE: [&str; 76] = [
    "board", "yaml", "prompt", "failure", "rules", "scaffold", "schema",
    "checks.rs", "checks/parse", "checks/names", "checks/judge", "checks/shell",
    "codex",
    "cycle/state", "cycle/plan", "cycle/decide", "cycle/gate", "cycle/note", "cycle/replay", "cycle/retain", "cycle/simulated",
    "evidence/aside", "evidence/changes", "evidence/id", "evidence/listing", "evidence/path",
    "inputs/difference",
    "index/build", "index/frequencies", "index/general", "index/kept", "index/mmr", "index/postings", "index/search", "index/select",
    "index/terms", "index/token", "index/update", "index/vector", "index/wording",
    "journal.rs", "journal/summary", "journal/wire",
    "provider/file/front", "provider/file/json", "provider/file/keys", "provider/file/layout", "provider/file/rank",
    "provider/file/section", "provider/file/sheet", "provider/file/splice", "provider/file/tree", "provider/file/yaml",
    "provider/github/access", "provider/github/answer", "provider/github/documents", "provider/github/item",
    "provider/github/note",
    "provider/markdown/again", "provider/markdown/card", "provider/markdown/columns", "provider/markdown/edit", "provider/markdown/identity",
    "provider/markdown/lines", "provider/markdown/next", "provider/markdown/note", "provider/markdown/outline",
    "provider/markdown/parse", "provider/markdown/pattern", "provider/markdown/seen",
    "report/html", "report/junit", "report/markdown", "report/story", "report/units", "report/visible",
];

/// What acts. `storage`, `process` and `redact` are what all of them act through.
const EFFECTS: [&str; 13] = [
    "storage",
    "process",
    "redact",
    "changes",
    "evidence",
    "hooks",
    "index/store",
    "inputs",
    "journal/append",
    "journal/replay",
    "logs",
    "provider",
    "requests",
];
const SHARED: [&str; 3] = ["storage", "process", "redact"];
/// Those above them.
const ABOVE: [&str; 3] = ["cycle", "report", "commands"];

fn is(source: &Source, name: &str) -> bool {
    match name.strip_suffix(".rs") {
        Some(_) => source.path == format!("src/{name}"),
        None => source.is(name),
    }
}

fn any(source: &Source, names: &[&str]) -> bool {
    names.iter().any(|name| is(source, name))
}

/// Fails with every offender.
fn none(rule: &str, offenders: impl IntoIterator<Item = String>) {
    let offenders: BTreeSet<String> = offenders.into_iter().collect();
    let list: Vec<String> = offenders.into_iter().collect();
    assert!(list.is_empty(), "{rule}:\n  {}\n", list.join("\n  "));
}

fn find(sources: &[Source], pattern: &str, except: &[&str]) -> Vec<String> {
    sources.iter().filter(|source| !any(source, except)).flat_map(|source| source.find(pattern)).collect()
}

/// `path` is the module `name` or in it.
fn within(path: &str, name: &str) -> bool {
    path.strip_prefix(&name.replace('/', "::")).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn every_module_that_a_rule_names_is_there() {
    let sources = all();
    let missing = |name: &&&str| !sources.iter().any(|source| is(source, name));
    let gone = PURE.iter().chain(&EFFECTS).chain(&ABOVE).filter(missing);
    none("named in a rule, but not in src", gone.map(|name| (*name).to_owned()));
}

#[test]
fn what_decides_looks_at_nothing() {
    let pure: Vec<Source> = all().into_iter().filter(|source| any(source, &PURE)).collect();
    let world = r"\b(tokio|clap|tracing)::|\buse (tokio|clap|tracing)\b|\bstd::(\{[^}]*\b)?(fs|process|env|net|thread)\b|\b(fs|env)::";
    none("a pure module reaches the world", find(&pure, world, &[]));
    none(
        "a pure module reads the clock",
        find(&pure, r"\b(SystemTime|Instant|Timestamp|Zoned)::now\b|\belapsed\(", &[]),
    );
    none("a pure module can act", find(&pure, r"\b(Writer|Appender|RunLock|Spawner|Journal)\b", &[]));
}

#[test]
fn what_acts_knows_nothing_of_those_above_and_beside_it() {
    let mut offenders = Vec::new();
    for source in all().iter().filter(|source| any(source, &EFFECTS) && !any(source, &PURE)) {
        for (place, path) in source.names() {
            let above = ABOVE.iter().any(|name| within(&path, name));
            let beside = |name: &&&str| within(&path, name) && !is(source, name) && !SHARED.contains(name);
            let pure = PURE.iter().any(|name| within(&path, name.trim_end_matches(".rs")) && *name != "journal.rs");
            // The inputs that hold at a start depend on what the journal says of them.
            let reason = source.path == "src/inputs.rs" && within(&path, "cycle/state");
            if (above && !reason) || (EFFECTS.iter().any(|name| beside(&name)) && !pure && !evidence_noun(&path)) {
                offenders.push(format!("{place}: crate::{path}"));
            }
        }
    }
    none("an effect module imports one that it may not know", offenders);
}

/// Of `evidence` others know the nouns only.
fn evidence_noun(path: &str) -> bool {
    ["TreeId", "TreePath", "Artifact", "ChangeSet", "Evidence"].iter().any(|noun| path == format!("evidence::{noun}"))
}

#[test]
fn a_simulated_world_holds_nothing_that_acts() {
    let sources = all();
    let simulated = sources.iter().find(|source| source.is("cycle/simulated")).unwrap();
    let acting =
        ["storage", "process", "provider", "hooks", "requests", "logs", "journal::append", "cycle::live", "inputs"];
    let named = simulated.names().into_iter().filter(|(_, path)| acting.iter().any(|name| within(path, name)));
    none("the simulated world names what acts", named.map(|(place, path)| format!("{place}: crate::{path}")));
    none("the simulated world names the live one", simulated.find(r"\bsuper::live\b|\bTrees\b"));
}

#[test]
fn only_storage_opens_files() {
    // A pipe in a file's place would be waited for. The kernel's own files are none, nor is what the launcher was just given.
    let opens = r#"\bfs::read(_to_string)?\(|\bFile::open\("#;
    none(
        "opens files outside storage",
        find(&all(), opens, &["storage", "process/strays", "process/tree", "process/launcher"]),
    );
}

#[test]
fn only_storage_writes() {
    let writes = r"\bfs::(write|rename|remove_\w+|create_dir\w*|copy|hard_link|set_permissions|soft_link)\b|\bunix::fs::symlink\b|\bFile::(create\w*|options)\b|\bOpenOptions\b|\bDirBuilder\b|\btempfile\b|\bset_len\(";
    none("writes outside storage", find(&all(), writes, &["storage"]));
}

#[test]
fn only_process_makes_children() {
    let sources = all();
    // clap's commands are no children.
    let children = r"\bprocess::Command\b|\bprocess::\{[^}]*\bCommand\b|\bCommand::new\b|\.spawn\(\)|\bCommandExt\b";
    none("children outside process", find(&sources, children, &["process", "cli"]));
    let cli: Vec<Source> = sources.into_iter().filter(|source| source.is("cli")).collect();
    none("children in cli", find(&cli, r"\bprocess::|\.spawn\(", &[]));
}

#[test]
fn a_run_can_die_before_and_after_whatever_storage_does() {
    let mut storage = all();
    storage.retain(|source| source.is("storage"));
    for source in &mut storage {
        // A call is on the line of its effect. Streams are none: see there.
        let stream = source.is("storage/rotate");
        let kept = source.code.lines().map(|line| if stream || line.contains("effect(") { "" } else { line });
        source.code = kept.collect::<Vec<_>>().join("\n");
    }
    let acts = r"\bfs::(rename|remove_\w+|create_dir\w*|write|copy|hard_link|set_permissions)\b|\.(sync_all|sync_data|write_all|set_len|persist)\(|\bsymlink\(|\bfallocate\(|\btempfile_in\(";
    none("an effect that is done by no `effect`", find(&storage, acts, &[]));
}

#[test]
fn whoever_holds_no_run_lock_reads_trees_and_starts_nothing_else() {
    none("runs tools without the run lock", find(&all(), r"\bTool::unlocked\b", &["evidence/saved"]));
    let sources = all();
    let saved: Vec<Source> = sources.into_iter().filter(|source| source.is("evidence/saved")).collect();
    none("what only reads trees can act", find(&saved, r"\b(Writer|Spawner|RunLock)\b|\bfs::write\b", &[]));
}

#[test]
fn a_program_is_asked_what_it_is_by_the_doctor_alone() {
    none("asks a program", find(&all(), r"\bprobe\b", &["process", "commands/doctor"]));
    let sources = all();
    let asks: Vec<Source> = sources.into_iter().filter(|source| source.is("process/probe")).collect();
    none("what only asks can act", find(&asks, r"\b(Writer|Spawner|RunLock|Tool)\b|\.args\([^q)]", &[]));
}

#[test]
fn only_settings_reads_the_environment() {
    let sources = all();
    none(
        "reads the environment outside settings",
        find(&sources, r"\benv::vars?(_os)?\b|\benv::(set|remove)_var\b", &["settings"]),
    );
    none("reads arguments outside main", find(&sources, r"\benv::args(_os)?\b", &["main"]));
}

#[test]
fn only_what_speaks_to_people_prints() {
    let sources = all();
    let says = ["report", "main", "commands", "logs", "process/launcher"];
    none("prints", find(&sources, r"\be?print(ln)?!|\bdbg!", &[]));
    none("opens stdout or stderr", find(&sources, r"\b(stdout|stderr)\(\)", &says));
}

#[test]
fn files_are_small_and_named_for_what_they_hold() {
    let tree: Vec<_> = ["src", "tests"].iter().flat_map(|folder| source::files(&root().join(folder))).collect();
    let rust = || tree.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let vague = ["mod", "utils", "util", "helpers", "helper", "common", "misc", "imp"];
    let named = rust().filter(|path| vague.contains(&path.file_stem().unwrap().to_string_lossy().as_ref()));
    none("a name that says nothing", named.map(|path| shown(path)));
    let long = rust().filter_map(|path| {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        (lines > 500).then(|| format!("{}: {lines} lines", shown(path)))
    });
    none("more than 500 lines", long);
    none("left by a snapshot test", tree.iter().filter(|path| is_pending(path)).map(|path| shown(path)));
}

#[test]
fn a_test_that_is_not_always_run_says_why() {
    let tests = source::files(&root().join("tests")).into_iter().chain(source::files(&root().join("src")));
    let tests = tests.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let tests: Vec<Source> = tests.map(|path| Source::new(shown(&path), fs::read_to_string(&path).unwrap())).collect();
    none("ignored without a reason", find(&tests, r"#\[ignore\]", &[]));
    none("hushed up", find(&tests, r"#!?\[\s*allow\(", &[]));
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn is_pending(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".pending-snap") || name.ends_with(".snap.new")
}

#[test]
fn nothing_is_left_for_later_or_hushed_up() {
    let sources = all();
    none("unfinished", find(&sources, r"\b(todo|unimplemented)!", &[]));
    none("hushed up", find(&sources, r"#!?\[\s*allow\(", &[]));
    none("skips destructors", find(&sources, r"\bprocess::exit\b|\bprocess::abort\b|\bmem::forget\b", &[]));
    none("unsafe", find(&sources, r"\bunsafe\b", &[]));
}

#[test]
fn every_module_says_what_it_is() {
    let silent = |source: &&Source| source.path != "src/main.rs" && !source.text.starts_with("//!");
    none("begins without `//!`", all().iter().filter(silent).map(|source| format!("{}:1", source.path)));
    let sources = all();
    let library = sources.iter().find(|source| source.path == "src/lib.rs").unwrap();
    none(
        "a module that isn't public",
        library.find(r"^(pub\(\w+\) )?mod \w+;").into_iter().filter(|place| !place.contains("pub")),
    );
}

#[test]
fn modules_know_their_parent_and_not_its_neighbours() {
    // Otherwise the rules above, which read `crate::`, could be passed by.
    let sources = all();
    none("climbs past its parent", find(&sources, r"\bsuper::super\b", &[]));
    let top: Vec<Source> = sources.into_iter().filter(|source| source.path.matches('/').count() == 1).collect();
    none("a top module names its neighbours without `crate::`", find(&top, r"\bsuper::", &[]));
}

#[test]
fn no_file_names_the_machine_that_it_was_written_on() {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return println!("skipped: no git, or no repository");
    };
    let private = regex::Regex::new(r"/(home|Users|root|work|mnt)/([A-Za-z0-9_.-]+)").unwrap();
    let mut offenders = Vec::new();
    for name in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        // Boards, and what other programs said, hold what their authors wrote.
        let Ok(text) = fs::read_to_string(root().join(name)) else { continue };
        for (index, line) in text.lines().enumerate().filter(|_| !name.starts_with("tests/boards/")) {
            // `/home/me` is what the documentation calls everyone's.
            let hits = private.captures_iter(line).filter(|hit| &hit[2] != "me");
            offenders.extend(hits.map(|hit| format!("{name}:{}: {}", index + 1, &hit[0])));
        }
    }
    none("a path of one machine", offenders);
}

/// The rules are only as good as their reading of the source.
#[test]
fn the_source_is_read_as_the_compiler_reads_it() {
    let text = r##"use crate::{a, b::{c, D as E}, self};
// crate::comment fs::write
let text = "fs::write \" crate::text"; let c = '"'; let l: &'static str = r#"fs::write"#;
use crate::x::y;
fs::write(crate::z::f()); let life: &'a u8 = b'\''; fs::read();
#[cfg(test)]
mod tests {
    use crate::tested;
}
"##;
    let source = Source::new("src/a.rs".into(), text.into());
    let names: Vec<String> = source.names().into_iter().map(|(place, path)| format!("{place} {path}")).collect();
    assert_eq!(
        names,
        ["src/a.rs:1 a", "src/a.rs:1 b::c", "src/a.rs:1 b::D", "src/a.rs:1 self", "src/a.rs:4 x::y", "src/a.rs:5 z::f"]
    );
    assert_eq!(source.find(r"\bfs::\w+"), ["src/a.rs:5: fs::write", "src/a.rs:5: fs::read"]);
}
