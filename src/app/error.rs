//! Why a house cannot run.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use crate::config::Problem;
use crate::gateway::site::BadSite;
use crate::store::Away;
use crate::store::counters::BadState;
use crate::store::sqlite::OpenError;

/// Why a house cannot run.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The configuration cannot be used.
    Config(Problem),
    /// A provider cannot be reached as configured.
    Site(BadSite),
    /// TLS cannot be set up.
    Tls(rustls::Error),
    /// A certificate, a key or an authority cannot be used.
    Certificate(String),
    /// Recordings cannot be written or played.
    Fixture(String),
    /// The ledger cannot be kept.
    Ledger(OpenError),
    /// What was spent cannot be read.
    Spent(Away),
    /// Counters cannot be shared.
    State(BadState),
    /// Figures cannot be kept.
    Figures(prometheus::Error),
    /// The system gives no signals.
    Signals(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(addr, error) => write!(formatter, "cannot listen on {addr}: {error}"),
            Self::Config(problem) => write!(formatter, "{problem}"),
            Self::Site(BadSite(what)) | Self::Certificate(what) | Self::Fixture(what) => {
                formatter.write_str(what)
            }
            Self::Tls(error) => write!(formatter, "cannot set up TLS: {error}"),
            Self::Ledger(error) => write!(formatter, "{error}"),
            Self::Spent(away) => write!(
                formatter,
                "what was spent of the budgets, and the keys, cannot be read: {away}"
            ),
            Self::State(error) => write!(formatter, "[state] url: {error}"),
            Self::Figures(error) => write!(formatter, "cannot keep figures: {error}"),
            Self::Signals(error) => write!(formatter, "cannot listen for signals: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
