//! A ledger that many nodes share, in PostgreSQL. Rows are sent there from the ledger of each node, which keeps them
//! until they have arrived.

pub mod door;
pub mod put;
pub mod read;
pub mod schema;
pub mod ship;
pub mod tls;

pub use door::{Refused, Target};
pub use read::Reader;
pub use tls::Trust;
