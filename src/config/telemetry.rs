//! `[telemetry]`: the collector that traces are told to.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::address::Base;
use super::problem::Flaw;

/// `[telemetry]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetryTable {
    otlp: Spanned<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    service: Option<String>,
    #[serde(default)]
    allow_http: bool,
}

/// Where traces are told.
#[derive(Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// The collector's base address; it takes traces under `/v1/traces`.
    pub otlp: String,
    /// What it wants on each request, which may be a secret.
    pub headers: Vec<(String, String)>,
    /// What this service is called there.
    pub service: String,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Telemetry")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl TelemetryTable {
    /// Reads it. A header may be a key: it does not leave in the clear.
    pub(super) fn read(self) -> Result<Telemetry, Flaw> {
        let (place, otlp) = (self.otlp.span(), self.otlp.into_inner());
        let base = match Base::parse(&otlp) {
            Ok(base) => base,
            Err(what) => {
                let what = what
                    .replace("base_url", "otlp")
                    .replace("api_key", "headers");
                return Err(Flaw::at(place, what));
            }
        };
        if base.plain && !base.is_loopback() && !self.headers.is_empty() && !self.allow_http {
            let message = "headers would leave unencrypted for another machine; use https://, or say allow_http = true";
            return Err(Flaw::at(place, message));
        }
        Ok(Telemetry {
            otlp,
            headers: self.headers.into_iter().collect(),
            service: self.service.unwrap_or_else(|| "waypost".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    fn read(table: &str) -> Result<Config, String> {
        let text = format!("[telemetry]\n{table}\n");
        let config = Config::parse(&text, Path::new("waypost.toml"), &|_| None);
        config.map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_collector_is_named_and_its_keys_do_not_leave_in_the_clear() {
        let local =
            read("otlp = \"http://127.0.0.1:4318\"\nheaders = { x-key = \"canary\" }").unwrap();
        let telemetry = local.telemetry.unwrap();
        assert_eq!(telemetry.service, "waypost");
        assert!(!format!("{telemetry:?}").contains("canary"));
        let far = "otlp = \"http://10.0.0.5:4318\"\n";
        assert!(read(far).is_ok(), "nothing secret goes there");
        let keyed = format!("{far}headers = {{ x-key = \"canary\" }}\n");
        let refused = read(&keyed).unwrap_err();
        assert!(
            refused.contains("unencrypted") && refused.contains(":2:"),
            "{refused}"
        );
        assert!(!refused.contains("canary"));
        assert!(read(&format!("{keyed}allow_http = true")).is_ok());
        assert!(
            read("otlp = \"collector:4318\"")
                .unwrap_err()
                .contains("otlp must begin")
        );
    }
}
