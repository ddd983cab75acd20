//! What can be set beside providers and models, with its defaults.

use std::time::Duration;

use serde::Deserialize;

use super::units::{count, positive_time, size, time};

/// Who may call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Nothing was said: everybody on this machine, and nobody else.
    #[default]
    Loopback,
    /// Everybody who reaches the address.
    None,
    /// Everybody who brings a key that was made here.
    Keys,
    /// Everybody who brings a key of the provider they name; it is passed on to that provider and to no other.
    Passthrough,
}

/// What to do with hints that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownHints {
    /// The request is refused.
    #[default]
    Reject,
    /// They are logged and passed over.
    Warn,
}

/// How much an answer tells of its call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metadata {
    /// Nothing.
    Off,
    /// Provider, model, attempts, parameters.
    #[default]
    Summary,
    /// Candidates and reasons too.
    Full,
}

/// What is done for a stream that dies or falls silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rescue {
    /// Another answer carries it on where it repeats what was shown.
    #[default]
    Verified,
    /// The same; and where nobody repeats it, others are asked to go on from there.
    Continue,
    /// Nothing.
    Off,
}

/// Whether others are asked beside a target that is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hedge {
    /// Where it is of use.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// What to do when providers have a bad day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resilience {
    /// How often the same target is asked again.
    #[serde(deserialize_with = "count::<0, 10, _>")]
    pub retries: usize,
    /// The time to the first event of a stream, or for the whole of an answer.
    #[serde(deserialize_with = "positive_time")]
    pub timeout: Duration,
    /// Silence after which help is started beside a target that has not spoken yet.
    #[serde(deserialize_with = "positive_time")]
    pub ttft_timeout: Duration,
    /// Silence after which help is started beside a target that has fallen silent.
    #[serde(deserialize_with = "positive_time")]
    pub stall_timeout: Duration,
    /// What is done for a stream that dies or falls silent.
    pub rescue: Rescue,
    /// Whether silence brings help.
    pub hedge: Hedge,
    /// Silence of a stream that ends it, whoever was asked beside it.
    #[serde(deserialize_with = "positive_time")]
    pub idle_timeout: Duration,
    /// How long a stream may take in all.
    #[serde(deserialize_with = "positive_time")]
    pub stream_timeout: Duration,
    /// Silence after which a stream gets a comment, so that nothing between cuts it; zero sends none.
    #[serde(deserialize_with = "time")]
    pub heartbeat: Duration,
    /// Silence after which a stream's head is sent before its first event; zero waits.
    #[serde(deserialize_with = "time")]
    pub commit_after: Duration,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            retries: 2,
            timeout: Duration::from_secs(595),
            ttft_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(20),
            rescue: Rescue::default(),
            hedge: Hedge::default(),
            idle_timeout: Duration::from_mins(5),
            stream_timeout: Duration::from_hours(1),
            heartbeat: Duration::from_secs(15),
            commit_after: Duration::from_secs(45),
        }
    }
}

/// Bounds on what clients may send and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The longest body.
    #[serde(deserialize_with = "size::<1024, 134_217_728, _>")]
    pub body: usize,
    /// The longest head of a request.
    #[serde(deserialize_with = "size::<8192, 262_144, _>")]
    pub head: usize,
    /// The most calls at once.
    #[serde(deserialize_with = "count::<1, 1_000_000, _>")]
    pub in_flight: usize,
    /// The most calls that wait for a place, each for a second at most.
    #[serde(deserialize_with = "count::<0, 1_000_000, _>")]
    pub queue: usize,
    /// The most bytes of bodies in memory at once.
    #[serde(deserialize_with = "size::<1_048_576, 1_099_511_627_776, _>")]
    pub bodies: usize,
    /// The most connections at once.
    #[serde(deserialize_with = "count::<1, 1_000_000, _>")]
    pub connections: usize,
    /// How long a head may take.
    #[serde(deserialize_with = "positive_time")]
    pub header_timeout: Duration,
    /// How long a body may pause.
    #[serde(deserialize_with = "positive_time")]
    pub body_idle_timeout: Duration,
    /// How long an unused connection is kept. Above 60 s, after which common balancers close theirs.
    #[serde(deserialize_with = "positive_time")]
    pub keep_alive: Duration,
    /// How long a client may take nothing of its answer.
    #[serde(deserialize_with = "positive_time")]
    pub write_stall: Duration,
    /// How long open calls may go on once the proxy is told to end.
    #[serde(deserialize_with = "time")]
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 32 << 20,
            head: 64 << 10,
            in_flight: 4096,
            queue: 512,
            bodies: 512 << 20,
            connections: 10_000,
            header_timeout: Duration::from_secs(10),
            body_idle_timeout: Duration::from_secs(15),
            keep_alive: Duration::from_secs(75),
            write_stall: Duration::from_mins(1),
            drain: Duration::from_secs(30),
        }
    }
}
