//! The counters of a house: in its process, or shared with other nodes.

use std::sync::Arc;

use crate::config::{self, WhenAway};
use crate::gateway::clock::Clock;
use crate::store::Counters;
use crate::store::counters::{self, BadState, Shared, State};

/// The counters as configured. What is shared is asked for from now on; until it answers, it is away.
///
/// # Errors
/// Where its address is none.
pub fn open(configured: Option<&config::State>, clock: Clock) -> Result<Counters, BadState> {
    let Some(configured) = configured else {
        return Ok(Counters::default());
    };
    let shared = Shared::new(State {
        url: configured.url.clone(),
        capped: when(configured.capped),
        uncapped: when(configured.uncapped),
        now: Arc::new(move || clock.unix()),
    })?;
    Ok(Counters::Shared(shared))
}

const fn when(configured: WhenAway) -> counters::WhenAway {
    match configured {
        WhenAway::Refuse => counters::WhenAway::Refuse,
        WhenAway::Serve => counters::WhenAway::Serve,
    }
}
