//! What outlasts a restart: the ledger of calls and what they cost.

pub mod sqlite;
