//! Ordinary text stays as it is.
