//! What comes in: routes, heads, bodies, hints and paces, each refused or taken as the contract says, over real
//! sockets. What is refused reaches no provider.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "ingress/bodies.rs"]
mod bodies;
#[path = "ingress/door.rs"]
mod door;
#[path = "ingress/embeddings.rs"]
mod embeddings;
#[path = "ingress/framing.rs"]
mod framing;
#[path = "ingress/heads.rs"]
mod heads;
#[path = "ingress/hints.rs"]
mod hints;
#[path = "ingress/house.rs"]
mod house;
#[path = "ingress/models.rs"]
mod models;
#[path = "ingress/pace.rs"]
mod pace;
#[path = "ingress/routes.rs"]
mod routes;
