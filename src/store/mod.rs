//! What outlasts a call: the ledger of calls and what they cost, keys, and what is counted over calls.
//!
//! A call takes a [`Slot`] at its admission; each of its attempts is written down before it is sent and leaves a row at
//! its end, however it ends. [`desk`] is where rows are left, [`spool`] the file of what is under way, and
//! [`sqlite::writer`] the one thread that commits. Where many nodes share a PostgreSQL, [`postgres::ship`] brings the rows
//! there.
//! [`sqlite::writer`] the one thread that commits. [`counters`] hold what is spent and reserved while calls run.

pub mod counters;
pub mod desk;
pub mod kept;
pub mod ledger;
pub mod postgres;
pub mod slot;
pub mod spool;
pub mod sqlite;

pub use counters::Counters;
pub use desk::{Away, Sync};
pub use kept::Kept;
pub use ledger::{Ledger, Options};
pub use slot::{Entry, Slot};
pub use sqlite::marks::{Hash, Marked};

#[cfg(test)]
mod tests;
