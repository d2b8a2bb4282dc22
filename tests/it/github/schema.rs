//! What is asked is what GitHub's published schema knows.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;

use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use kanban_codex_exec::provider::github::documents::ALL;

use crate::support::skipped;

const EXCERPT: &str = include_str!("../../github/schema.graphql");
/// Where `.ci/run` installs the whole of it.
const WHOLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/ci-node/node_modules/@octokit/graphql-schema/schema.graphql");

/// As much of it as the program needs.
pub fn excerpt() -> Valid<Schema> {
    Schema::parse_and_validate(EXCERPT, "schema.graphql").unwrap()
}

/// Of a server that lets options keep their ids.
pub fn newer() -> Valid<Schema> {
    let input = "input ProjectV2SingleSelectFieldOptionInput {\n";
    assert!(EXCERPT.contains(input));
    Schema::parse_and_validate(EXCERPT.replace(input, &format!("{input}  id: String\n")), "newer.graphql").unwrap()
}

fn valid(schema: &Valid<Schema>) {
    for document in ALL {
        let parsed = ExecutableDocument::parse_and_validate(schema, document.text, document.name);
        let parsed = parsed.unwrap_or_else(|wrong| panic!("{}: {}", document.name, wrong.errors));
        let operation = parsed.operations.get(Some(document.name)).unwrap();
        assert_eq!(operation.is_mutation(), document.writes(), "{}", document.name);
    }
}

#[test]
fn every_document_is_valid_by_the_excerpt() {
    valid(&excerpt());
    valid(&newer());
}

/// Each field's, argument's and input's line, and each enum's values.
fn lines(kind: &ExtendedType) -> Vec<String> {
    let fields = |fields: &apollo_compiler::collections::IndexMap<_, apollo_compiler::schema::Component<_>>| {
        let line = |field: &apollo_compiler::schema::Component<apollo_compiler::schema::FieldDefinition>| {
            let arguments = field.arguments.iter().map(|argument| format!("{}: {}", argument.name, argument.ty));
            format!("{}({}): {}", field.name, arguments.collect::<Vec<_>>().join(", "), field.ty)
        };
        fields.values().map(line).collect()
    };
    match kind {
        ExtendedType::Object(kind) => fields(&kind.fields),
        ExtendedType::Interface(kind) => fields(&kind.fields),
        ExtendedType::InputObject(kind) => {
            kind.fields.values().map(|field| format!("{}: {}", field.name, field.ty)).collect()
        }
        ExtendedType::Union(kind) => kind.members.iter().map(|member| member.to_string()).collect(),
        ExtendedType::Enum(kind) => kind.values.keys().map(ToString::to_string).collect(),
        ExtendedType::Scalar(_) => Vec::new(),
    }
}

#[test]
fn the_excerpt_and_every_document_hold_by_the_whole_schema() {
    let Ok(text) = fs::read_to_string(WHOLE) else {
        return skipped("the npm package @octokit/graphql-schema is not installed");
    };
    // It has a few fields twice, which a strict reader takes for an error.
    let whole = Schema::parse(text, "whole.graphql").unwrap_or_else(|wrong| wrong.partial);
    let whole = Valid::assume_valid(whole);
    valid(&whole);
    for (name, kind) in excerpt().types.iter().filter(|(_, kind)| !kind.is_built_in()) {
        let published = whole.types.get(name).unwrap_or_else(|| panic!("no type {name}"));
        let published = lines(published);
        let invented: Vec<String> = lines(kind).into_iter().filter(|line| !published.contains(line)).collect();
        assert_eq!(invented, [] as [&str; 0], "{name}");
    }
}
