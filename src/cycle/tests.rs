//! The loop as a whole: tables of what is decided, and properties of whatever may happen.

mod crashes;
mod decisions;
mod exhaustion;
mod paths;
mod proof;
pub(crate) mod properties;
mod retain;
mod work;
pub(crate) mod world;
