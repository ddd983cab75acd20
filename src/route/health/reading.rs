//! What is known of an endpoint now: plain numbers, copied out of its statistics for one plan.

use super::breaker::Gate;
use super::headroom::Store;

/// What is known of an endpoint now. Factors are on what its prior says: 1 where nothing was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Factors on the wait for the first token, by size of the prompt: see [`band`].
    pub waits: [f32; 3],
    /// Factor on the time per token.
    pub pace: f32,
    /// Factor on the number of output tokens.
    pub words: f32,
    /// Factor of at least 1 where the last calls were slower than the mean can show yet.
    pub surge: f32,
    /// Spread of whole times round their mean, as a share of it.
    pub spread: f32,
    /// Answers that times were learned from, as far as they are not forgotten.
    pub seen: f32,
    /// Calls that reliability was learned from, and how many of them failed.
    pub calls: f32,
    /// See `calls`.
    pub failed: f32,
    /// How likely it is that it is down, from failures in a row just now.
    pub down: f32,
    /// How old calls under way are when all is well, in milliseconds.
    pub ages: f32,
    /// How much older they are than that: 1 where they are not. What stops answering shows here first.
    pub overdue: f32,
    /// Milliseconds that a failure takes.
    pub lost: f32,
    /// Share of expected cached tokens that the provider's cache gives.
    pub hits: f32,
    /// Calls under way.
    pub in_flight: u32,
    /// Calls under way that it is known to take without getting slower.
    pub room: f32,
    /// The chance of failure among all endpoints, and how many calls of one's own it is worth: many where endpoints
    /// hardly differ, few where they do.
    pub fleet_risk: f32,
    /// See `fleet_risk`.
    pub fleet_mass: f32,
    /// Whether it may be called.
    pub gate: Gate,
    /// Whether that is so only because some calls failed in a row, and none was made since: one may try it.
    pub suspect: bool,
    /// Milliseconds until its key has calls again; 0 where it has.
    pub cooling: u64,
    /// What is left of its limit of tokens.
    pub tokens: Store,
    /// Milliseconds since anything was heard of it.
    pub idle: u64,
    /// Half of the waits are below, in milliseconds.
    pub wait_p50: f32,
    /// 95 of 100 waits are below.
    pub wait_p95: f32,
    /// Half of the rates are below, in tokens per second.
    pub rate_p50: f32,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            waits: [1.0; 3],
            pace: 1.0,
            words: 1.0,
            surge: 1.0,
            spread: UNKNOWN_SPREAD,
            seen: 0.0,
            calls: 0.0,
            failed: 0.0,
            down: 0.0,
            ages: 5_000.0,
            overdue: 1.0,
            lost: 2_000.0,
            hits: HITS,
            in_flight: 0,
            room: 8.0,
            fleet_risk: UNSEEN_RISK,
            fleet_mass: UNSEEN_MASS,
            gate: Gate::Closed,
            suspect: false,
            cooling: 0,
            tokens: Store::default(),
            idle: u64::MAX,
            wait_p50: 0.0,
            wait_p95: 0.0,
            rate_p50: 0.0,
        }
    }
}

/// The spread of times that is assumed before it was measured.
pub const UNKNOWN_SPREAD: f32 = 0.5;

/// The share of cached tokens that is believed before it was measured.
pub const HITS: f32 = 0.8;

/// The chance of failure that is assumed where nothing was ever called, and how many calls that is worth.
pub const UNSEEN_RISK: f32 = 0.02;
/// See [`UNSEEN_RISK`].
pub const UNSEEN_MASS: f32 = 50.0;

/// How much slower more calls make it than it is known to take: as much as there are more, as the same work is shared.
#[must_use]
pub fn crowd(in_flight: u32, room: f32) -> f64 {
    let room = f64::from(room);
    if f64::from(in_flight) <= room {
        return 1.0;
    }
    ((f64::from(in_flight) - room) / room).clamp(0.0, 9.0) + 1.0
}

/// The class of a prompt by its tokens that no cache knows: below 2,000, below 16,000, more.
#[must_use]
pub const fn band(fresh: u64) -> usize {
    match fresh {
        0..2_000 => 0,
        2_000..16_000 => 1,
        _ => 2,
    }
}
