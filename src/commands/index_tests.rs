//! `index-tests`: builds the stored index of the tests file.

use super::chronicle::kept_by_run;
use super::say;
use crate::failure::{Failure, Kind};
use crate::inputs::{index_path, load_index, tests_of};
use crate::report::units::of;
use crate::settings::{Settings, read_text};
use crate::storage::Writer;

pub fn index_tests(settings: &Settings) -> Result<u8, Failure> {
    let name = settings.shown(&settings.tests);
    let hint = "name it with --tests FILE or TESTS_FILE";
    let text = read_text(&settings.tests, &name, hint).map_err(|problem| Failure::from(vec![problem]))?;
    let tests = tests_of(&text, &name)?;
    let (_, fresh) = load_index(settings, &tests, true)?;
    let many = of(tests.len(), "test");
    let path = index_path(&settings.cache_dir);
    let done = match fresh {
        Some(bytes) => {
            if kept_by_run(settings)?.is_some_and(|kept| kept == settings.cache_dir) {
                let text = anyhow::anyhow!("a run is at work, and {} is its own until it ends", settings.shown(&path));
                return Err(
                    Failure::new(Kind::Error, text).hint("it makes the index anew itself when the tests change")
                );
            }
            let writer = Writer::within_own(&settings.cache_dir);
            writer.cache_folder(&settings.cache_dir)?;
            writer.replace(&path, &bytes)?;
            format!("indexed {many} of {name}: {} bytes in {}", bytes.len(), path.display())
        }
        None => format!("the index of {name} is up to date: {many} in {}", path.display()),
    };
    say(&format!("{done}\n"))?;
    Ok(0)
}
