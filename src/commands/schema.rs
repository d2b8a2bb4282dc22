//! `schema`: what the program prints and reads, described for other programs.

use super::say;
use crate::failure::Failure;
use crate::schema::{ALL, Schema};

pub fn schema(name: Option<&String>) -> Result<u8, Failure> {
    let text = match name.and_then(|name| Schema::named(name)) {
        Some(schema) => format!("{:#}\n", schema.value()),
        None => ALL.iter().map(|schema| format!("{:<12} {}\n", schema.name, schema.of)).collect(),
    };
    say(&text)?;
    Ok(0)
}
