//! The command line: arguments, runtime, exit code.

use std::process::ExitCode;

use clap::Parser;
use waypost::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Cli::parse();
    let code = match cli::runtime() {
        Ok(runtime) => runtime.block_on(cli::run(arguments)),
        Err(error) => cli::report(&format!("cannot start the runtime: {error}"), cli::OS_ERROR),
    };
    ExitCode::from(code)
}
