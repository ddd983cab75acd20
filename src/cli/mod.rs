//! The commands: arguments in, text and exit codes out.

pub mod args;
pub mod check;
pub mod demo;
mod descriptors;
pub mod exit;
pub mod folder;
pub mod keys;
pub mod line;
pub mod log;
pub mod models;
pub mod probe;
pub mod route;
pub mod run;
pub mod serve;
mod signals;
pub mod spend;
mod watch;

pub use args::{Cli, Command};
pub use exit::{OS_ERROR, report};
pub use run::{run, runtime};
