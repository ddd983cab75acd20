//! Sockets: the listener, the pooled client, bodies and taps. Knows nothing of chat, dialects or providers.

pub mod body;
pub mod client;
pub mod coding;
mod door;
pub mod egress;
pub mod entrance;
pub mod guard;
pub mod refresh;
pub mod server;
pub mod tap;
pub mod tls;

pub use body::{Aborted, Body};
pub use client::{Client, Upstream, Wire};
pub use egress::Egress;
pub use entrance::{Entrance, Limits, Stage, Terms};
pub use refresh::{Fetching, Fresh, Refresher, Unfetched};
pub use tap::{End, Sent, Tap, Taped};
