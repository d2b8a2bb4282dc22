//! Markdown boards.

mod corpus;
