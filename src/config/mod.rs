//! The configuration: a file and the environment become a typed [`Config`], or the one thing that is wrong.
//!
//! This is the only reader of environment variables and of the file. Every key has a default; a key that is not
//! known is refused where it stands, so that no setting is ever ignored in silence.

mod active;
mod address;
mod expand;
pub mod faults;
mod file;
mod given;
mod instant;
mod keys;
mod ledger;
mod limits;
mod load;
mod metrics;
mod postgres;
mod problem;
mod routing;
mod settings;
mod state;
mod telemetry;
mod tls;
mod typed;
mod units;

pub use active::Active;
pub use instant::instant;
pub use keys::Together;
pub use ledger::{Ledger, Promise};
pub use load::{Config, DEFAULT_FILE, environment};
pub use metrics::Metrics;
pub use postgres::{Postgres, Trust};
pub use problem::{EX_CONFIG, Problem};
pub use settings::{Auth, Hedge, Limits, Metadata, Rescue, Resilience, UnknownHints};
pub use state::{State, WhenAway};
pub use telemetry::Telemetry;
pub use tls::{Certificate, Tls};

#[cfg(test)]
mod cloud_tests;
#[cfg(test)]
mod credential_tests;
#[cfg(test)]
mod tests;
