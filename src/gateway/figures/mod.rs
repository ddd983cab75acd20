//! The figures of the house, as Prometheus reads them at `GET /metrics`.
//!
//! Counting waits for nobody: each target's figures are found by its place and are plain atomics. What is a state and
//! no count (breakers, calls under way, rows that wait) is read when it is asked for. Labels come from the catalogue
//! and the configuration alone, so that no caller can make more of them: other models are `other`.

pub mod families;
pub mod rescues;
pub mod show;
pub mod tallies;
pub mod tally;
pub mod trip;

pub use families::{Figures, Reload};
pub use tallies::Tallies;
