//! What a PM2 ecosystem file says of this program. It is read, not run: what lies beside a board may be an agent's. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_yaml::Value;

use crate::report::doctor::{Findings, Level};
use crate::settings::table::{Form, TABLE};

/// An app's settings, those that are written out; what is computed is not known.
type App = BTreeMap<String, Value>;

/// The apps of a file that run this program. `is_script`: it is JavaScript, else JSON or YAML.
pub fn apps(text: &str, is_script: bool) -> Vec<App> {
    let objects = if is_script { literals(&without_comments(text)) } else { data(text) };
    let ours = |app: &App| {
        let named = |value: &Value| format!("{value:?}").contains("kanban-codex-exec");
        app.contains_key("script") && app.values().any(named)
    };
    objects.into_iter().filter(ours).collect()
}

fn data(text: &str) -> Vec<App> {
    let Ok(root) = serde_yaml::from_str::<Value>(text) else { return Vec::new() };
    let apps = root.get("apps").unwrap_or(&root);
    let list = apps.as_sequence().cloned().unwrap_or_else(|| vec![apps.clone()]);
    let entries = |app: Value| {
        let map = app.as_mapping()?.iter();
        Some(map.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.clone()))).collect())
    };
    list.into_iter().filter_map(entries).collect()
}

/// The end of a string that begins at `from`, its quote within.
fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() && chars[at] != chars[from] {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn without_comments(text: &str) -> Vec<char> {
    let chars: Vec<char> = text.chars().collect();
    let mut kept = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let end = match &chars[at..] {
            ['\'' | '"' | '`', ..] => end_of_string(&chars, at),
            ['/', '/', ..] => {
                at += chars[at..].iter().position(|char| *char == '\n').unwrap_or(chars.len() - at);
                continue;
            }
            ['/', '*', rest @ ..] => {
                at += rest.windows(2).position(|pair| pair == ['*', '/']).map_or(chars.len() - at, |end| end + 4);
                continue;
            }
            _ => at + 1,
        };
        kept.extend(&chars[at..end]);
        at = end;
    }
    kept
}

/// An open bracket.
struct Open {
    bracket: char,
    key: Option<String>,
    /// Where the key or the value begins.
    start: usize,
    entries: App,
}

/// Every object that is written out, with what YAML can read of its values.
fn literals(chars: &[char]) -> Vec<App> {
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let char = chars[at];
        match (char, open.last_mut()) {
            ('\'' | '"' | '`', _) => {
                at = end_of_string(chars, at);
                continue;
            }
            ('{' | '[' | '(', _) => {
                open.push(Open { bracket: char, key: None, start: at + 1, entries: App::new() });
            }
            (':', Some(object)) if object.bracket == '{' && object.key.is_none() => {
                let key: String = chars[object.start..at].iter().collect();
                object.key = Some(key.trim().trim_matches(['\'', '"']).to_owned());
                object.start = at + 1;
            }
            (',' | '}' | ']' | ')', Some(_)) => {
                let Some(mut object) = open.pop() else { continue };
                if let Some(key) = object.key.take() {
                    let value: String = chars[object.start..at].iter().collect();
                    object.entries.extend(serde_yaml::from_str(value.trim()).ok().map(|value| (key, value)));
                }
                object.start = at + 1;
                match (char, object.bracket) {
                    (',', _) => open.push(object),
                    (_, '{') => found.push(object.entries),
                    _ => {}
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// PM2's own, in milliseconds.
const KILL_TIMEOUT: u64 = 1600;
/// What the runner may take beyond its grace: 5 s for what won't die, and a last look at the workspace.
const BEYOND_GRACE: Duration = Duration::from_secs(7);

/// What of it would hang, loop or lose something. `name`: the file's.
pub fn check(name: &str, app: &App, grace: Duration, findings: &mut Findings) {
    let mut good = true;
    let mut told = |level, text: &str, hint: &str| {
        good = false;
        findings.add(level, "pm2", format!("{name}: {text}"), Some(hint.to_owned()));
    };
    let is = |key: &str, value: bool| app.get(key).and_then(Value::as_bool) == Some(value);
    let text = |key: &str| app.get(key).and_then(Value::as_str);
    if app.get("watch").is_some_and(|watch| watch.as_bool() != Some(false)) {
        told(Level::Error, "`watch` restarts the run whenever codex changes a file", "remove `watch`");
    }
    let cluster = text("exec_mode").is_some_and(|mode| mode != "fork");
    if cluster {
        told(Level::Error, "`exec_mode: cluster` can't run a native binary", "exec_mode: 'fork'");
    }
    if app.get("instances").is_some_and(|count| count.as_u64() != Some(1)) {
        told(Level::Error, "more than one of `instances`: there is one runner a board", "instances: 1");
    }
    if text("interpreter").is_some_and(|interpreter| interpreter != "none") {
        told(Level::Error, "an `interpreter` can't run a native binary", "interpreter: 'none'");
    }
    let kill_timeout = match app.get("kill_timeout") {
        None => Some(KILL_TIMEOUT),
        Some(given) => given.as_u64(),
    };
    let needed = u64::try_from((grace + BEYOND_GRACE).as_millis()).unwrap_or(u64::MAX);
    if kill_timeout.is_some_and(|given| given < needed) {
        let given = kill_timeout.unwrap_or_default();
        let text =
            format!("`kill_timeout` of {given} ms is shorter than a stop may take, {needed} ms: PM2 kills the runner");
        told(Level::Warning, &text, &format!("kill_timeout: {}", needed.max(30_000)));
    }
    let args = words(app.get("args"));
    if let Some(flag) = unknown(&args) {
        told(Level::Error, &format!("no run knows `{flag}` among the `args`"), "`run --help` has the flags");
    }
    if !is("autorestart", false) {
        restarts(app, &args, &mut told);
    }
    if good {
        findings.ok("pm2", name);
    }
}

/// What PM2 starts again for ever.
fn restarts(app: &App, args: &[String], told: &mut impl FnMut(Level, &str, &str)) {
    let stops = |code: u64| match app.get("stop_exit_codes") {
        Some(Value::Sequence(codes)) => codes.iter().any(|stop| stop.as_u64() == Some(code)),
        Some(stop) => stop.as_u64() == Some(code),
        None => false,
    };
    let drained = after(args, "--drained-exit-code").and_then(|code| code.parse().ok()).unwrap_or(0);
    let hint = "--drained-exit-code 10 among the `args`, and stop_exit_codes: [2, 3, 10]";
    let watches = args.iter().any(|word| word == "--watch" || word == "--watch=true");
    match (watches, stops(drained), drained) {
        (true, _, _) => {}
        (false, false, _) => told(Level::Error, "a drained board is started again for ever", hint),
        (false, true, 0) => {
            let text = "exit code 0 is a stop code, and PM2 takes a death by signal, out of memory say, for it";
            told(Level::Warning, text, hint);
        }
        (false, true, _) => {}
    }
    if !stops(3) {
        let text = "a guard that was reached (exit code 3) is no stop code: a restart refills its budget";
        told(Level::Error, text, "stop_exit_codes: [2, 3, 10]");
    }
    if !stops(2) {
        let text = "a wrong setting (exit code 2) is no stop code: a restart meets it again";
        told(Level::Warning, text, "stop_exit_codes: [2, 3, 10]");
    }
}

/// The first flag that no run knows. What follows one that takes a value is that.
fn unknown(args: &[String]) -> Option<&str> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--") else { continue };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        let takes_value = match TABLE.iter().find(|row| row.flag == name) {
            Some(row) => !matches!(row.form, Form::Switch),
            None if name == "config" => true,
            None => return Some(word),
        };
        if takes_value && value.is_none() {
            words.next();
        }
    }
    None
}

fn words(args: Option<&Value>) -> Vec<String> {
    match args {
        Some(Value::String(line)) => shell_words::split(line).unwrap_or_default(),
        Some(Value::Sequence(words)) => {
            let word = |word: &Value| match word {
                Value::Number(number) => Some(number.to_string()),
                other => other.as_str().map(str::to_owned),
            };
            words.iter().filter_map(word).collect()
        }
        _ => Vec::new(),
    }
}

/// The value of a flag, in either of its forms.
fn after<'w>(words: &'w [String], flag: &str) -> Option<&'w str> {
    let beside = |pair: &'w [String]| (pair[0] == flag).then(|| pair[1].as_str());
    let within = |word: &'w String| word.strip_prefix(flag)?.strip_prefix('=');
    words.windows(2).find_map(beside).or_else(|| words.iter().find_map(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "args: ['run', '--watch'], stop_exit_codes: [2, 3], kill_timeout: 30000";

    fn found(settings: &str, is_script: bool) -> Vec<String> {
        let text = match is_script {
            true => format!(
                "// {{ script: 'x' }}\nmodule.exports = {{ apps: [{{ script: process.env.BIN || 'kanban-codex-exec', {settings} }}, {{ script: 'other', watch: true }}] }};"
            ),
            false => format!("apps: [{{ script: kanban-codex-exec, {settings} }}]"),
        };
        let mut findings = Findings::default();
        for app in apps(&text, is_script) {
            check("f", &app, Duration::from_secs(3), &mut findings);
        }
        let told = |finding: &crate::report::doctor::Finding| format!("{:?} {}", finding.level, finding.text);
        findings.into_page().findings.iter().map(told).collect()
    }

    #[test]
    fn what_hangs_or_loops_is_told() {
        let cases = [
            ("", "Ok f"),
            ("watch: true", "Error f: `watch`"),
            ("watch: ['src']", "Error f: `watch`"),
            ("watch: false", "Ok f"),
            ("exec_mode: 'cluster'", "Error f: `exec_mode"),
            ("instances: 2", "Error f: more than one"),
            ("instances: 'max'", "Error f: more than one"),
            ("interpreter: 'node'", "Error f: an `interpreter`"),
            ("interpreter: 'none'", "Ok f"),
            ("kill_timeout: 3000", "Warning f: `kill_timeout` of 3000 ms"),
            ("stop_exit_codes: [2]", "Error f: a guard"),
            ("stop_exit_codes: [3]", "Warning f: a wrong setting"),
            ("args: 'run'", "Error f: a drained board"),
            ("args: ['run'], autorestart: false", "Ok f"),
            ("args: 'run --wacth', autorestart: false", "Error f: no run knows `--wacth`"),
            ("args: ['run', '--watch', '--max-card=3']", "Error f: no run knows `--max-card=3`"),
            ("args: 'run --watch=true --codex-args \"--search\" --config --x'", "Ok f"),
            ("args: ['run', '--watch', '--source', process.env.BOARD, ...more]", "Ok f"),
            ("args: 'run', stop_exit_codes: [0, 2, 3]", "Warning f: exit code 0"),
            ("args: 'run --drained-exit-code=10', stop_exit_codes: [2, 3, 10]", "Ok f"),
            ("args: ['run', '--drained-exit-code', 10], stop_exit_codes: [2, 3, 10]", "Ok f"),
        ];
        for (settings, expected) in cases {
            // What is said last holds in JavaScript; YAML takes no key twice.
            let script = found(&format!("{GOOD}, {settings}"), true);
            assert!(script[0].starts_with(expected), "{settings}: {script:?}");
            let own = |entry: &str| !settings.contains(entry.split(':').next().unwrap_or_default());
            let rest = ["args: ['run', '--watch']", "stop_exit_codes: [2, 3]", "kill_timeout: 30000"];
            let rest: Vec<&str> = rest.into_iter().filter(|entry| own(entry)).collect();
            let data = found(&[&rest.join(", "), settings].join(", "), false);
            assert!(data[0].starts_with(expected), "{settings}: {data:?}");
        }
        assert_eq!(
            found("kill_timeout: later(), args: ['run', '--watch']", true).len(),
            2,
            "what is computed is not known"
        );
    }

    #[test]
    fn a_file_that_is_cut_off_or_is_something_else_has_no_apps() {
        let whole = include_str!("../../../pm2/ecosystem.config.cjs");
        assert_eq!(apps(whole, true).len(), 1);
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            apps(&whole[..end], true);
            apps(&whole[..end], false);
        }
        let mut findings = Findings::default();
        check("ours", &apps(whole, true)[0], Duration::from_secs(3), &mut findings);
        let told = findings.into_page();
        assert_eq!((told.errors, told.warnings), (0, 0), "{told:?}");
    }
}
