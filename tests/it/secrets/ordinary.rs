//! False alarms, measured: ordinary text stays as it is.
//!
//! The corpus is this repository, line by line and file by file, and text of the kinds that look like tokens most, made by
//! chance. A line that is changed all the same is listed in `tests/secrets/false-alarms.tsv`; the list is exact.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use kanban_codex_exec::redact::Redactor;

use super::chance::Chance;

const KNOWN: &str = include_str!("../../secrets/false-alarms.tsv");

/// Kinds of text, a line each time. A letter and a number in braces are so many characters, see [`Chance::text`].
const KINDS: [(&str, &str); 26] = [
    ("git commit", "commit {h40}"),
    ("git blob", "index {h7}..{h7} 100644"),
    ("SHA-256", "{h64}  target/release/app"),
    ("SHA-512 of npm", "      \"integrity\": \"sha512-{b86}==\","),
    ("checksum of cargo", "checksum = \"{h64}\""),
    ("checksum of Go", "golang.org/x/crypto v0.0.0-{d14}-{h12} h1:{b43}="),
    ("UUID", "id: {h8}-{h4}-{h4}-{h4}-{h12}"),
    ("image", "![logo](data:image/png;base64,iVBORw0KGgo{b800}==)"),
    ("base64 in lines", "{b76}"),
    ("font", "src:url(data:font/woff2;base64,d09GMgABAAAAA{b400})format(\"woff2\")"),
    (
        "minified",
        "!function({a1},{a1}){return {a1}.{a2}({h2}),{a1}[\"{l9}\"]=_{a1}.{l6}(0x{h4}),{a1}.key_{a1}={a1}}();",
    ),
    ("source map", "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjoz{l400}"),
    ("mapping", "{\"version\":3,\"mappings\":\"AAAA,{c4},{b5};{b9},{c12};AAAA{l60}\"}"),
    ("identifier", "let {a12}_{a9}_{a14}_key = {a8}_token_{a20}({a5});"),
    ("camel case", "const {a9}AccessToken{c1}{a14} = get{c1}{a22}ApiKey({c1}{a9});"),
    ("kebab case", "task-{a9}-{a12}-{a14}-desk-{a4}-risk-{a20}.css"),
    ("number", "{d20} 0x{h16} {d4}.{d12}e-{d2} {d10}:{d2}"),
    ("URL", "https://example.com:8443/{a8}/{l22}?page={d4}&q={l30}&hash={h32}#{a12}"),
    ("address with an at sign", "https://www.npmjs.com/package/@{a6}/{a12} git@github.com:{a8}/{a12}.git"),
    ("image of a container", "image: registry.example.com/{a8}/{a8}@sha256:{h64}"),
    ("ETag", "ETag: W/\"{h8}-{b27}\""),
    ("public key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b43} {a6}@{a8}"),
    ("settings", "{c1}{a6}_API_KEY={c1}{a12}, api_key: process.env.{c12}_KEY, secret_key = config[\"{a9}\"]"),
    ("template", "Authorization: Bearer ${{c12}_TOKEN}; postgres://app:${DB_PASSWORD}@{a8}:5432/{a6}"),
    ("log", "2026-01-02T03:04:05.{d6}Z INFO {a6}::{a9}: request_id={h32} took={d3}ms trace={h32}-{h16}-01"),
    ("words", "{a7} {a3} {a9} {a2} {a11} {a5} {a8} {a6} {a4} {a10}"),
];
const EACH: usize = 400;

fn made(kind: &str, chance: &mut Chance) -> String {
    let mut text = String::new();
    let mut rest = kind;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let word = after.split_once('}').filter(|(word, _)| word.len() > 1 && word[1..].parse::<usize>().is_ok());
        match word {
            Some((word, after)) => {
                text.push_str(&chance.text(word.chars().next().unwrap(), word[1..].parse().unwrap()));
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

/// The text files of this repository: their names and what they hold.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    let listed = listed.ok().filter(|listed| listed.status.success()).map(|listed| listed.stdout).unwrap_or_default();
    let names = String::from_utf8(listed).unwrap();
    let read = |name: &str| Some((name.to_owned(), fs::read_to_string(root.join(name)).ok()?));
    names.split_terminator('\0').filter_map(read).collect()
}

#[test]
fn ordinary_text_is_left_as_it_is() {
    let redactor = Redactor::default();
    let mut alarms = BTreeSet::new();
    let mut lines = 0;
    let mut look = |name: &str, text: &str| {
        for line in text.lines() {
            lines += 1;
            if redactor.text(line) != line {
                alarms.insert(format!("{name}\t{}", line.trim()));
            }
        }
        // What spans lines.
        let whole = redactor.text(text);
        let changed = text.lines().filter(|line| !whole.contains(line));
        alarms.extend(changed.map(|line| format!("{name}\t{}", line.trim())));
    };
    let files = files();
    if files.is_empty() {
        return crate::support::skipped("there is no git, or no repository");
    }
    // Those hold secrets, and the false alarms themselves.
    let planted =
        |name: &str| ["tests/secrets/", "fuzz/corpus/redaction/"].iter().any(|folder| name.starts_with(folder));
    files.iter().filter(|(name, _)| !planted(name)).for_each(|(name, text)| look(name, text));
    for (name, kind) in KINDS {
        let mut chance = Chance::new(name);
        let text: String = (0..EACH).map(|_| made(kind, &mut chance) + "\n").collect();
        look(name, &text);
    }
    let known: BTreeSet<String> = KNOWN.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let new: Vec<_> = alarms.difference(&known).map(|alarm| alarm.chars().take(200).collect::<String>()).collect();
    assert_eq!(new, [""; 0], "{} of {lines} lines are false alarms, these are new", alarms.len());
    let gone: Vec<_> = known.difference(&alarms).collect();
    assert_eq!(gone, [""; 0], "no false alarm any more: take it off the list");
}
