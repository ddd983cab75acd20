//! From parsed arguments to a command and its exit code.

use std::io;
use std::path::Path;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use crate::app::StartError;
use crate::catalog::Catalog;
use crate::config::{self, Config};
use crate::gateway::clock::Clock;

use super::args::{Cli, Command};
use super::check::{CheckArgs, Checked};
use super::exit::{BAD_CONFIG, BAD_USAGE, NO_INPUT, OS_ERROR, UNAVAILABLE, report, unwritten};
use super::keys::place::KeysError;
use super::keys::{self, KeysArgs};
use super::models::{ModelsArgs, ModelsError};
use super::spend::{self, SpendArgs, SpendError};
use super::{check, demo, log, models, probe, route, serve};

/// One thread where there is one core, as threads that share a core only pass work to each other.
///
/// # Errors
/// Where the system refuses threads.
pub fn runtime() -> io::Result<Runtime> {
    match available_parallelism().map_or(1, usize::from) {
        1 => Builder::new_current_thread().enable_all().build(),
        cores => Builder::new_multi_thread()
            .worker_threads(cores)
            .enable_all()
            .build(),
    }
}

/// Runs a command to its end; gives back the exit code.
pub async fn run(cli: Cli) -> u8 {
    let _log = log::start(cli.log_format, config::environment("RUST_LOG").as_deref());
    match cli.command {
        Command::Demo(args) => ended(demo::run(args).await),
        Command::Serve(args) => match load(args.config.as_deref()) {
            Ok(config) => ended(serve::run(args, config).await),
            Err(code) => code,
        },
        Command::Check(args) => checked(&args).await,
        Command::Route(args) => {
            route::run(&args, &mut io::stdin().lock(), &mut io::stdout().lock())
        }
        Command::Keys(args) => keyed(&args),
        Command::Spend(args) => summed(&args).await,
        Command::Models(args) => listed(&args),
    }
}

fn load(path: Option<&Path>) -> Result<Config, u8> {
    Config::load(path, &config::environment)
        .map_err(|problem| report(&problem.to_string(), BAD_CONFIG))
}

fn ended(result: Result<(), StartError>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(
            error @ (StartError::Site(_)
            | StartError::Config(_)
            | StartError::Certificate(_)
            | StartError::Ledger(_)),
        ) => report(&error.to_string(), BAD_CONFIG),
        Err(error) => report(&error.to_string(), UNAVAILABLE),
    }
}

async fn checked(args: &CheckArgs) -> u8 {
    let checked = match check::run(args, &config::environment, &mut io::stdout()) {
        Ok(checked) => checked,
        Err(error) => return unwritten(&error),
    };
    let code = checked.exit_code();
    match checked {
        Checked::Usable(config) if args.probe => {
            ended_in(probe::run(*config, &mut io::stdout()).await)
        }
        Checked::Usable(_) | Checked::Wrong(_) | Checked::Unusable => code,
    }
}

fn ended_in(result: Result<u8, StartError>) -> u8 {
    match result {
        Ok(code) => code,
        Err(error) => ended(Err(error)),
    }
}

async fn summed(args: &SpendArgs) -> u8 {
    let config = match load(args.config.as_deref()) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match spend::run(args, &config, &mut io::stdout(), &mut io::stderr()).await {
        Ok(()) => 0,
        Err(SpendError::Output(error)) => unwritten(&error),
        Err(error @ (SpendError::NoFile | SpendError::Ledger(_))) => {
            report(&error.to_string(), NO_INPUT)
        }
        Err(error @ SpendError::Odd(_)) => report(&error.to_string(), 1),
    }
}

fn keyed(args: &KeysArgs) -> u8 {
    let config = match load(args.config.as_deref()) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let now = Clock::default().unix();
    let (mut out, mut aside) = (io::stdout().lock(), io::stderr().lock());
    let done = keys::run(args, &config, now, (&mut out, &mut aside));
    drop(aside);
    match done {
        Ok(()) => 0,
        Err(KeysError::Output(error)) => unwritten(&error),
        Err(error @ KeysError::Wrong(_)) => report(&error.to_string(), BAD_USAGE),
        Err(error @ KeysError::Random) => report(&error.to_string(), OS_ERROR),
        Err(error @ (KeysError::NoFile | KeysError::Ledger(_))) => {
            report(&error.to_string(), NO_INPUT)
        }
    }
}

fn listed(args: &ModelsArgs) -> u8 {
    let catalog = match Catalog::builtin() {
        Ok(catalog) => catalog,
        Err(error) => return report(&error.to_string(), BAD_CONFIG),
    };
    match models::run(args, &catalog, &mut io::stdout().lock()) {
        Ok(()) => 0,
        Err(ModelsError::Io(error)) => unwritten(&error),
        Err(error @ ModelsError::NoProvider(_)) => report(&error.to_string(), BAD_USAGE),
    }
}
