//! Waypost: an OpenAI-compatible proxy that reaches every chat provider.
pub mod chat;
pub mod dialect;
