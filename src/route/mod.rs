//! Where a request goes: pure decisions on the request, its hints and the catalogue.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod ability;
pub mod affinity;
pub mod board;
pub mod choose;
pub mod count;
mod doubt;
pub mod draw;
pub mod effort;
pub mod experiment;
pub mod explain;
pub mod fallback;
pub mod filter;
pub mod health;
pub mod hint;
pub mod hinted;
pub mod moment;
pub mod names;
pub mod need;
pub mod number;
mod other;
pub mod plan;
pub mod policy;
pub mod pool;
pub mod predict;
pub mod quotes;
pub mod ranked;
pub mod reason;
pub mod replay;
pub mod retry;
pub mod score;
pub mod target;
pub mod task;
pub mod tenant;

pub use choose::{MAX_TARGETS, choose, listed};
pub use count::{Beside, Bound, Counter, Estimate, How, LateCounter, Load, Unbounded, WHOLE};
pub use fallback::{Next, next};
pub use hint::{Fallback, Hints, Metadata};
pub use target::{Candidate, Chosen, Known, Reason, nobody, resolve};
