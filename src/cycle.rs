//! The loop: decide → perform → apply → report.
//!
//! [`state`], [`plan`] and [`decide`] are pure; [`drive`] is the loop; [`live`] acts and [`simulated`] assumes.

pub mod clock;
pub mod decide;
pub mod drive;
pub mod gate;
pub mod live;
pub mod note;
pub mod plan;
pub mod recorded;
pub mod replay;
pub mod retain;
pub mod simulated;
pub mod state;
#[cfg(test)]
pub(crate) mod tests;
