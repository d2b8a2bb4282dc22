//! Tests and rules as they were accepted once, from their copies.

use std::collections::BTreeMap;
use std::path::Path;

use super::kept;
use crate::checks::{self, TestString};
use crate::failure::Failure;
use crate::rules::{self, Rules};
use crate::settings::{Settings, shown};

/// The tests and the rules of which `accepted` has the hashes, by the names that the journal has for their files. The
/// columns that the rules name need not be on the board any more.
pub fn read(settings: &Settings, accepted: &BTreeMap<String, String>) -> Result<(Vec<TestString>, Rules), Failure> {
    let (tests, name) = text(settings, accepted, &settings.tests)?;
    let tests = checks::parse(&tests, &name)?;
    let (rules, name) = text(settings, accepted, &settings.transitions)?;
    let folder = settings.transitions.parent().unwrap_or(Path::new("/"));
    Ok((tests, rules::parse(&rules, &name, folder, None)?))
}

fn text(settings: &Settings, accepted: &BTreeMap<String, String>, file: &Path) -> Result<(String, String), Failure> {
    let name = shown(file, &settings.workspace);
    let Some(sha256) = accepted.get(&name) else {
        let failure = Failure::usage(format!("the journal does not know what {name} held then"));
        return Err(failure.hint("another file was used, or the journal has been shortened since"));
    };
    let Some(bytes) = kept(&settings.cache_dir, sha256) else {
        let failure = Failure::usage(format!("the copy of {name} that was accepted then is gone or damaged"));
        let copy = settings.shown(&settings.cache_dir.join("inputs").join(sha256));
        return Err(failure.hint(format!("it was {copy}; without `--then`, today's tests and rules judge")));
    };
    Ok((String::from_utf8_lossy(&bytes).into_owned(), name))
}
