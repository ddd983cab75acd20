//! `[metrics]`: where the figures are told.

use std::net::SocketAddr;

use serde::Deserialize;
use toml::Spanned;

use super::address;
use super::problem::Flaw;

/// `[metrics]` as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    listen: Option<Spanned<String>>,
    open: Option<bool>,
}

/// Where `GET /metrics` is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metrics {
    /// Where calls are answered too, if that is this machine alone.
    #[default]
    Loopback,
    /// Where calls are answered too, whoever reaches that.
    Open,
    /// At an address of its own, and nowhere else.
    At(SocketAddr),
}

impl Table {
    pub(super) fn read(&self) -> Result<Metrics, Flaw> {
        let Some(listen) = &self.listen else {
            return Ok(match self.open {
                Some(true) => Metrics::Open,
                Some(false) | None => Metrics::Loopback,
            });
        };
        if self.open == Some(true) {
            let message = "with listen, the figures are told there alone; take listen or open out";
            return Err(Flaw::at(listen.span(), message));
        }
        let text = listen.get_ref();
        let addr = address::listen(text).ok_or_else(|| {
            let message = format!("'{text}' is not an address like 127.0.0.1:9090");
            Flaw::at(listen.span(), message)
        })?;
        Ok(Metrics::At(addr))
    }
}
