//! How endpoints fare: decayed statistics that planning reads.
//!
//! A site's times, failures and limits are shared by its effort levels; how long answers are is each level's own, so
//! that times need not be learned anew for every level.

mod admit;
pub mod among;
pub mod breaker;
pub mod cell;
pub mod fleet;
pub mod headroom;
pub mod mean;
pub mod outcome;
pub mod pulse;
pub mod ramp;
pub mod ration;
pub mod reading;
pub mod sheet;
pub mod talk;
pub mod vitals;
pub mod window;

pub use among::{Heard, Telling};
pub use breaker::Gate;
pub use headroom::{Left, Share};
pub use outcome::{Answer, Failing, Outcome};
pub use pulse::Seat;
pub use reading::Reading;
pub use vitals::{Flight, Snapshot, Vitals};
