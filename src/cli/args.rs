//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::log::Format;

/// An OpenAI-compatible proxy to every chat provider.
#[derive(Debug, Parser)]
#[command(name = "waypost", version, about, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// How log lines on stderr look; `RUST_LOG` chooses which there are.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub log_format: Format,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  waypost demo                                  look round, without a key or a network
  waypost serve                                 proxy what the keys in your environment reach
  waypost serve --record tape                   and keep what passes
  waypost serve --replay tape                   and play it back, offline
  waypost check --config waypost.toml           is the configuration right?
  waypost route --strategy fastest < req.json   who would answer this, and why?
  waypost keys create ci --budget 50/month      a key for one caller, and what it may spend
  waypost spend --by model --since 2026-11-01   what did it cost?
  waypost models --capability tools,vision      what there is, and what it costs";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a streamed answer, a tool call and a fallback from recordings, then keep serving them.
    Demo(DemoArgs),
    /// Run the proxy.
    Serve(ServeArgs),
    /// Say what is wrong with the configuration, or what is on.
    Check(super::check::CheckArgs),
    /// Plan a request without sending it: who would be asked, and why nobody else.
    Route(super::route::RouteArgs),
    /// Make, list and revoke keys of callers.
    Keys(super::keys::KeysArgs),
    /// Sum up what was spent: by day, model, provider, tenant or key.
    Spend(super::spend::SpendArgs),
    /// List the catalogue.
    Models(super::models::ModelsArgs),
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// Arguments of `serve`.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// The configuration; waypost.toml where it is there.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen [default: what the configuration says, else 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Keep every exchange with a provider in this folder, secrets scrubbed.
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Answer from the exchanges in this folder instead of from the network.
    #[arg(long, value_name = "DIR", conflicts_with = "record")]
    pub replay: Option<PathBuf>,
    /// Play back at the recorded pace instead of at once.
    #[arg(long, requires = "replay")]
    pub recorded_pace: bool,
}
