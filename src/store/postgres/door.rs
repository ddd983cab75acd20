//! The way into PostgreSQL: where it is, whom to trust, and what to say where it does not open.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Config, Error};

use super::tls::{Tls, Trust};

/// How long a connection may take, names and handshakes of several hosts included.
const LIMIT: Duration = Duration::from_secs(10);

/// Where it is. Its debug form tells no password.
#[derive(Clone, Debug)]
pub struct Target {
    driver: Config,
    tls: Tls,
}

/// Why PostgreSQL did not do as asked.
#[derive(Debug)]
pub enum Refused {
    /// It said so, or could not be reached.
    Driver(Error),
    /// It did not answer in time.
    Slow,
    /// The connection is gone.
    Gone,
    /// The rows to be sent cannot be read.
    Ledger(rusqlite::Error),
}

impl Target {
    /// A target, with certificates of a file beside the usual roots.
    ///
    /// # Errors
    /// Where the file holds none.
    pub fn new(driver: Config, trust: Trust, roots: Option<&Path>) -> Result<Self, String> {
        let tls = Tls::new(trust, roots)?;
        Ok(Self { driver, tls })
    }
}

/// Connects. The connection lives as long as the client does.
pub(super) async fn connect(target: &Target) -> Result<Client, Refused> {
    let connecting = target.driver.connect(target.tls.clone());
    let (client, connection) = timeout(LIMIT, Box::pin(connecting)).await??;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

impl Refused {
    /// Whether it is the fault of the rows, which will never be taken as they are.
    pub(super) fn is_of_rows(&self) -> bool {
        let Self::Driver(error) = self else {
            return false;
        };
        // Data exceptions and broken constraints.
        let code = error.code().map_or("", |code| code.code());
        code.starts_with("22") || code.starts_with("23")
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => {
                write!(formatter, "{error}")?;
                let mut source = error.source();
                while let Some(cause) = source {
                    write!(formatter, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
            Self::Slow => formatter.write_str("it did not answer in time"),
            Self::Gone => formatter.write_str("the connection is gone"),
            Self::Ledger(error) => write!(formatter, "the rows to be sent cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error)
    }
}

impl From<tokio::time::error::Elapsed> for Refused {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self::Slow
    }
}
