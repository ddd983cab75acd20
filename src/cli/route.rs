//! `waypost route`: the plan of a request, without a network: who would be asked, in which order, and why nobody else.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use crate::app::house::{Learned, Reach, planner};
use crate::chat::{Code, Error};
use crate::config::{self, Config};
use crate::gateway::dry;
use crate::route::count::Counter;
use crate::route::hint::PREFIX;
use crate::route::replay::replay;

use super::exit::{BAD_CONFIG, BAD_DATA, NO_INPUT, UNAVAILABLE, report, unwritten};
use super::folder::state_folder;

mod table;

/// Reads an OpenAI request on stdin and prints the ranked plan, and why each other model fell out. Nothing is sent.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct RouteArgs {
    /// The configuration [default: waypost.toml if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// lowest-cost, balanced, fastest, max-reliability, or one of the configuration's.
    #[arg(long, value_name = "NAME")]
    pub strategy: Option<String>,
    /// What the whole call may cost, every attempt included.
    #[arg(long, value_name = "USD", allow_hyphen_values = true)]
    pub max_cost_usd: Option<String>,
    /// What is done to keep within: clamp, reject or cut.
    #[arg(long, value_name = "MODE")]
    pub cost_cap_mode: Option<String>,
    /// Only these providers or models.
    #[arg(long, value_name = "LIST")]
    pub only: Option<String>,
    /// None of these providers or models.
    #[arg(long, value_name = "LIST")]
    pub ignore: Option<String>,
    /// The seed of the draw, so that a plan comes out again.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Plan as if every provider of the catalogue were on.
    #[arg(long)]
    pub all: bool,
    /// Take a recorded decision again: a dry run, a receipt or an answer with full metadata; - is stdin.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "strategy", "max_cost_usd", "cost_cap_mode",
        "only", "ignore", "seed", "all"])]
    pub replay: Option<PathBuf>,
    /// Print JSON: the answer of a dry run.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Nothing is sent, and no network is needed. Exit code 65 for a bad request, 69 where nothing \
fits, 78 for a bad configuration.

Examples:
  echo '{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hello\"}]}' | waypost route
  waypost route --strategy lowest-cost --max-cost-usd 0.01 < request.json
  waypost route --all --strategy fastest --seed 7 --json < request.json | jq '.plan.candidates[0]'
  waypost route --replay receipt.json           does the recorded decision come out again?";

/// Longest input, in bytes: that of a request by default.
const LONGEST: u64 = 32 * 1024 * 1024;

/// Runs the command; gives back the exit code.
#[must_use]
pub fn run(args: &RouteArgs, input: &mut dyn io::Read, out: &mut dyn Write) -> u8 {
    let done = match &args.replay {
        Some(file) => again(file, args.json, input, out),
        None => ahead(args, input, out),
    };
    match done {
        Ok(code) => code,
        Err(Wrong::Said(message, code)) => report(&message, code),
        Err(Wrong::Unwritten(error)) => unwritten(&error),
    }
}

/// Why there is nothing to print.
enum Wrong {
    /// A message and the exit code.
    Said(String, u8),
    /// The output is gone.
    Unwritten(io::Error),
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

fn ahead(args: &RouteArgs, input: &mut dyn io::Read, out: &mut dyn Write) -> Result<u8, Wrong> {
    let config = Config::load(args.config.as_deref(), &config::environment);
    let config = config.map_err(|problem| Wrong::Said(problem.to_string(), BAD_CONFIG))?;
    if config.active.is_empty() && !args.all {
        let message = "no provider is on: set a key, name a provider in waypost.toml, or plan with --all as if every \
                       provider of the catalogue were on ('waypost check' lists the variables)";
        return Err(Wrong::Said(message.to_owned(), UNAVAILABLE));
    }
    let body = read(input)?;
    let reach = if args.all { Reach::All } else { Reach::On };
    let planner = planner(config, reach, state_folder().as_deref());
    let (shared, learned) = planner.map_err(|why| Wrong::Said(why, BAD_CONFIG))?;
    Counter::warm();
    let said = said(args);
    let hints: Vec<(&str, &str)> = said
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let plan = dry::ahead(&shared, body, &hints).map_err(|error| refused(&error))?;
    let mut plan: Value = serde_json::from_slice(&plan)
        .map_err(|error| Wrong::Said(format!("the plan cannot be read: {error}"), BAD_DATA))?;
    if let Some(members) = plan.as_object_mut() {
        members.insert("statistics".to_owned(), word(learned).into());
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &plan).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        table::print(&plan, out)?;
    }
    Ok(0)
}

/// What the plan goes by.
const fn word(learned: Learned) -> &'static str {
    match learned {
        Learned::Nothing => "priors",
        Learned::Something => "snapshot",
    }
}

/// The options as the headers that they are.
fn said(args: &RouteArgs) -> Vec<(String, &str)> {
    let options = [
        ("strategy", &args.strategy),
        ("max-cost-usd", &args.max_cost_usd),
        ("cost-cap-mode", &args.cost_cap_mode),
        ("only", &args.only),
        ("ignore", &args.ignore),
        ("seed", &args.seed),
    ];
    let given = options
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    given
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect()
}

/// A refusal in the words of the command line: options bear the names of headers, and each reason has its line.
fn refused(error: &Error) -> Wrong {
    let code = match error.code {
        Code::MaxCostUnreachable
        | Code::ModelNotFound
        | Code::ContextLengthExceeded
        | Code::NotConfigured => UNAVAILABLE,
        _ => BAD_DATA,
    };
    let message = error.message.replace(PREFIX, "--");
    let message = message.replace(". ", ".\n  ");
    Wrong::Said(message, code)
}

fn read(input: &mut dyn io::Read) -> Result<Vec<u8>, Wrong> {
    let mut body = Vec::new();
    let read = input.take(LONGEST + 1).read_to_end(&mut body);
    let unread = |why: String| Wrong::Said(format!("the input cannot be read: {why}"), NO_INPUT);
    read.map_err(|error| unread(error.to_string()))?;
    if body.len() as u64 > LONGEST {
        return Err(Wrong::Said(
            "the request is over 32 MiB".to_owned(),
            BAD_DATA,
        ));
    }
    if body.trim_ascii().is_empty() {
        let message = "there is no request on stdin; 'waypost route --help' has examples";
        return Err(Wrong::Said(message.to_owned(), BAD_DATA));
    }
    Ok(body)
}

/// Takes a recorded decision again; exit code 1 where it comes out otherwise.
fn again(
    file: &Path,
    json: bool,
    input: &mut dyn io::Read,
    out: &mut dyn Write,
) -> Result<u8, Wrong> {
    let text = if file.as_os_str() == "-" {
        read(input)?
    } else {
        let unread = |error| Wrong::Said(format!("{}: {error}", file.display()), NO_INPUT);
        std::fs::read(file).map_err(unread)?
    };
    let bad = |why: String| Wrong::Said(format!("{}: {why}", file.display()), BAD_DATA);
    let record: Value = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    let verdict = replay(&record).map_err(bad)?;
    if json {
        let told = table::verdict_json(&verdict);
        serde_json::to_writer_pretty(&mut *out, &told).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        table::verdict(&verdict, out)?;
    }
    Ok(u8::from(!verdict.holds()))
}

#[cfg(test)]
#[path = "route/tests.rs"]
mod tests;
