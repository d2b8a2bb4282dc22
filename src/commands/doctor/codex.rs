//! Whether codex is there, new enough, logged in, and takes the flags that it will be given.

use std::path::Path;

use crate::codex::{Cause, command};
use crate::process::find;
use crate::process::probe::{Answer, Question, ask};
use crate::report::doctor::Findings;
use crate::settings::Settings;
use crate::storage;

/// What the loop was measured with.
const MEASURED: (u32, u32) = (0, 169);

pub fn check(settings: &Settings, findings: &mut Findings) {
    let env = settings.env.codex();
    let bin = &settings.codex.bin;
    let Some(program) = find(bin, &settings.env.path()) else {
        return findings.error("codex", format!("{bin} is not there"), Cause::NotStarted.hint());
    };
    let place = program.display();
    let answer = match ask(&program, Question::Version, &env) {
        Ok(answer) => answer,
        Err(why) => return findings.error("codex", format!("{place} {why}"), Cause::NotStarted.hint()),
    };
    let said = answer.text.lines().next().unwrap_or_default().trim().to_owned();
    match version(&said).filter(|_| answer.good) {
        None => {
            let text = format!("{place} tells no version: what else can be asked of codex is not asked of it");
            return findings.warning("codex", text, "a stand-in? The real one says `codex-cli 0.169.0` to --version");
        }
        Some(version) if version < MEASURED => {
            let (major, minor) = MEASURED;
            let hint = format!("the loop relies on what {major}.{minor} does: install that or a newer one");
            findings.warning("codex", format!("{said} at {place}"), hint);
        }
        Some(_) => findings.ok("codex", format!("{said} at {place}")),
    }
    login(&program, settings, findings);
    flags(&program, settings, findings);
}

/// `codex-cli 0.169.0`
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.rsplit(' ').next()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn login(program: &Path, settings: &Settings, findings: &mut Findings) {
    let env = settings.env.codex();
    let key = env.iter().any(|(name, value)| name == "CODEX_API_KEY" && !value.is_empty());
    match ask(program, Question::Login, &env) {
        Ok(Answer { good: true, text }) => {
            findings.ok("codex login", text.lines().next().unwrap_or_default().trim());
        }
        Ok(_) if key => findings.ok("codex login", "by CODEX_API_KEY"),
        Ok(_) if has_other_provider(settings) => {
            let hint = "no login is needed where that provider has a key of its own; else `codex login`";
            findings.warning("codex login", "not logged in, but its config.toml names a model provider", hint);
        }
        Ok(_) => findings.error("codex login", "not logged in", Cause::Login.hint()),
        Err(why) => findings.warning("codex login", format!("not known: codex login status {why}"), ""),
    }
}

/// Codex's config names another provider than OpenAI.
fn has_other_provider(settings: &Settings) -> bool {
    let text = storage::read_to_string(settings.codex_config()).unwrap_or_default();
    text.lines()
        .chain(settings.codex.args.iter().map(String::as_str))
        .any(|line| line.trim().starts_with("model_provider"))
}

/// Of the line as it will be run, the flags of the user's own included.
fn flags(program: &Path, settings: &Settings, findings: &mut Findings) {
    let line = command(&settings.codex, "", Path::new("last"), settings.in_git);
    let argv = line.map(|line| line.argv).unwrap_or_default();
    let flags: Vec<&str> =
        argv.iter().filter(|word| word.starts_with('-')).filter_map(|word| word.split('=').next()).collect();
    match ask(program, Question::ExecHelp, &settings.env.codex()) {
        Ok(Answer { good: true, text }) => {
            let known = |flag: &&&str| text.split([' ', ',', '\n', '=', '[', '<', '`']).any(|word| word == **flag);
            let unknown: Vec<&str> = flags.iter().filter(|flag| !known(flag)).copied().collect();
            match unknown.is_empty() {
                true => findings.ok("codex flags", flags.join(" ")),
                false => {
                    let text = format!("`codex exec --help` doesn't name {}", unknown.join(", "));
                    findings.error("codex flags", text, Cause::Configuration.hint());
                }
            }
        }
        Ok(_) => findings.error("codex flags", "`codex exec --help` fails", "is this the codex that has `exec`?"),
        Err(why) => findings.warning("codex flags", format!("not known: codex exec --help {why}"), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_read_where_one_is_told() {
        for (said, expected) in [
            ("codex-cli 0.169.0", Some((0, 169))),
            ("1.2.3", Some((1, 2))),
            ("codex 0.170.0-alpha.1", Some((0, 170))),
            ("", None),
            ("{\"type\":\"turn.started\"}", None),
            ("usage: codex", None),
        ] {
            assert_eq!(version(said), expected, "{said}");
        }
    }
}
