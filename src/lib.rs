//! Waypost: an OpenAI-compatible proxy that reaches every chat provider.
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
