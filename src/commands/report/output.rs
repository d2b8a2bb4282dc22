//! Where a report may be written.

use std::path::Path;

use anyhow::Context;

use crate::commands::journaled::Journaled;
use crate::failure::{Failure, Kind};
use crate::journal::append;
use crate::settings::Settings;
use crate::storage::Writer;

/// Not over what a run goes by, and not among what an attempt is judged by.
pub fn write(output: &Path, text: &str, settings: &Settings) -> Result<(), Failure> {
    let shown = settings.shown(output);
    let folder = output.parent().unwrap_or(Path::new("/"));
    let folder = folder.canonicalize().with_context(|| format!("--output: {shown}: its folder can't be reached"));
    let folder = folder.map_err(|error| Failure::new(Kind::Usage, error).hint("make the folder first"))?;
    let file = folder.join(output.file_name().unwrap_or_default());
    let real = file.canonicalize().unwrap_or_else(|_| file.clone());
    if real.is_dir() {
        return Err(Failure::usage(format!("--output: {shown}: is a folder, not a file")).hint("name a file in it"));
    }
    // A replacement would take a device or a pipe away from whoever else uses it.
    if real.exists() && !real.is_file() {
        let failure = Failure::usage(format!("--output: {shown}: is a device or a pipe, not a file"));
        return Err(failure.hint("without --output the report is printed"));
    }
    let journal = append::path(&settings.cache_dir);
    let own = [settings.tests.as_path(), &settings.transitions, &settings.config, &journal].into_iter();
    if own.chain(settings.source.path()).any(|own| own.canonicalize().is_ok_and(|own| real.starts_with(own))) {
        let failure = Failure::usage(format!("--output: {shown}: a run works by that file"));
        return Err(failure.hint("name another file"));
    }
    // As late as can be: a run may have started an attempt since the report's reading.
    let state = Journaled::<()>::read(&settings.cache_dir)?.state;
    let is_evidence = real.starts_with(&settings.workspace) && !real.starts_with(&settings.cache_dir);
    if let Some((id, _)) = state.running().next().filter(|_| is_evidence) {
        let text = format!("--output: {shown}: {id} is at work there, and a report would count as its work");
        let failure = Failure::new(Kind::Error, anyhow::anyhow!(text));
        return Err(failure.hint("write it elsewhere, or when the attempt has ended"));
    }
    Ok(Writer::within(&folder).replace(&file, text.as_bytes())?)
}
