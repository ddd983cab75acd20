//! Waypost: an OpenAI-compatible proxy that reaches every chat provider.
//!
//! Thinking and moving bytes live in different rooms, and imports only go down; `tests/house.rs` holds them to it.
//!
//! | room | what it is for |
//! |---|---|
//! | [`chat`] | the one language inside: requests, events, writers, errors; pure |
//! | [`dialect`] | wire formats, translated both ways; pure |
//! | [`account`] | money: exact sums, and what a stream has cost so far; pure |
//! | [`catalog`] | who exists and what they sell, as data; pure |
//! | [`route`] | which endpoints are tried, in which order; pure |
//! | [`store`] | what outlasts a restart: the ledger |
//! | [`net`], [`fixture`] | sockets; record and replay |
//! | [`gateway`] | one call, from head to settlement: where the two meet |
//! | [`config`], [`app`], [`cli`] | file and environment, the running house, the commands |
//!
//! A call may be dropped at any await: dropping it drops the provider's connection, gives its place back and writes
//! its one log line.

pub mod account;
pub mod app;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod config;
pub mod dialect;
pub mod fixture;
pub mod gateway;
pub mod net;
pub mod route;
pub mod store;
