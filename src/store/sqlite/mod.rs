//! The embedded store: one SQLite file.

pub mod open;
pub mod schema;

pub use open::{OpenError, open, open_to_read};
