//! `[state]`: where the counters of budgets and limits are shared between nodes, and what to do without it.

use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::problem::Flaw;

/// What becomes of calls while it is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenAway {
    /// They are refused.
    Refuse,
    /// They go on: each node counts alone, and tells the others later.
    Serve,
}

/// `when_away = { capped = "refuse", uncapped = "serve" }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Both {
    capped: WhenAway,
    uncapped: WhenAway,
}

impl Default for Both {
    fn default() -> Self {
        Self {
            capped: WhenAway::Refuse,
            uncapped: WhenAway::Serve,
        }
    }
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateTable {
    url: Spanned<String>,
    #[serde(default)]
    when_away: Both,
}

/// Where counters are shared.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// The address, which may hold a password.
    pub url: String,
    /// Calls that have a budget.
    pub capped: WhenAway,
    /// Calls that have only limits.
    pub uncapped: WhenAway,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("capped", &self.capped)
            .field("uncapped", &self.uncapped)
            .finish_non_exhaustive()
    }
}

impl StateTable {
    /// Reads the address. What is wrong is said without it.
    pub(super) fn read(self) -> Result<State, Flaw> {
        let place = self.url.span();
        let url = self.url.into_inner();
        let ours = url.starts_with("redis://") || url.starts_with("redis+unix://");
        if !ours || redis::Client::open(url.as_str()).is_err() {
            let message = "[state] url cannot be read as an address: it looks like redis://user:password@host:6379/0 (TLS, \
                           rediss://, is not spoken)";
            return Err(Flaw::at(place, message));
        }
        Ok(State {
            url,
            capped: self.when_away.capped,
            uncapped: self.when_away.uncapped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<State, String> {
        let table: StateTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.read().map_err(|flaw| flaw.message)
    }

    #[test]
    fn calls_with_a_budget_are_refused_unless_it_says_otherwise() {
        let state = read("url = \"redis://:secret-canary@h\"").expect("a table");
        assert_eq!(
            (state.capped, state.uncapped),
            (WhenAway::Refuse, WhenAway::Serve)
        );
        assert!(!format!("{state:?}").contains("canary"));
        let state =
            read("url = \"redis://h\"\nwhen_away = { capped = \"serve\" }").expect("a table");
        assert_eq!(
            (state.capped, state.uncapped),
            (WhenAway::Serve, WhenAway::Serve)
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for url in [
            "http://u:canary@h",
            "redis://u:canary@h:port/0",
            "rediss://u:canary@h",
        ] {
            let said = read(&format!("url = \"{url}\"")).expect_err(url);
            assert!(
                said.contains("[state] url") && !said.contains("canary"),
                "{said}"
            );
        }
    }
}
