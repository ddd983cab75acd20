//! Waypost: an OpenAI-compatible proxy that reaches every chat provider.
pub mod catalog;
pub mod chat;
pub mod dialect;
pub mod fixture;
pub mod net;
