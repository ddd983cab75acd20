//! The embedded store: one SQLite file.

pub mod keys;
pub mod marks;
pub mod open;
pub mod outbox;
pub mod party;
pub mod recover;
pub mod rows;
pub mod schema;
pub mod sums;
pub mod sweep;
pub mod verify;
pub mod writer;

pub use open::{OpenError, open, open_to_read};
