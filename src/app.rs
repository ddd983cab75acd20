//! From a configuration to a running house.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::fixture::{Exchange, Pace, Recorder, Replay};
use crate::gateway::clock::Clock;
use crate::gateway::figures::Figures;
use crate::gateway::{Face, Front, Gateway, Site};
use crate::net::{Client, Entrance, Tap, server};
use crate::store::{Counters, Ledger};

mod back;
pub mod books;
mod breakers;
pub mod counters;
mod end;
mod error;
mod fixed;
pub mod house;
mod keep;
pub mod keys;
pub mod rehearsal;
mod reload;
mod running;
mod sites;
mod spans;
pub mod tls;

pub use error::StartError;
pub use running::App;

use self::back::{Back, listen, shown, terms};
use self::fixed::{Earlier, Fixed};
use self::house::{Found, shared};
use self::rehearsal::{disturbances, only_played};
use self::sites::{providers_of, replayed_sites, sites};
use self::tls::Outward;

/// What to run.
#[derive(Debug)]
pub struct Plan {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where exchanges are kept, if they are.
    pub record: Option<PathBuf>,
    /// What is played back instead of asking providers, if anything is.
    pub play: Option<Play>,
    /// The configuration.
    pub config: Config,
}

/// What a house finds round it: its time, and where it may keep what it has learned.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The clock.
    pub clock: Clock,
    /// The folder of live statistics; without one they end with the house.
    pub state: Option<PathBuf>,
}

/// What is played back.
#[derive(Clone, Debug)]
pub struct Play {
    /// The recorded exchanges.
    pub exchanges: Vec<Exchange>,
    /// At which pace.
    pub pace: Pace,
}

impl App {
    /// Starts a house that keeps nothing over a restart.
    ///
    /// # Errors
    /// Why it cannot run.
    pub async fn start(plan: Plan) -> Result<Self, StartError> {
        Self::start_with(plan, Setting::default()).await
    }

    /// Starts a house in a setting of its own.
    ///
    /// # Errors
    /// Why it cannot run.
    pub async fn start_with(plan: Plan, setting: Setting) -> Result<Self, StartError> {
        let recorder = plan.record.as_deref().map(recorder).transpose()?;
        let tap = recorder.clone().map(|recorder| recorder as Arc<dyn Tap>);
        let outward = Outward::new(&plan.config, tap)?;
        let client = outward.client(&plan.config)?;
        let Setting { clock, state } = setting;
        let (replay, played) = match plan.play {
            Some(play) => (Some(player(&play).await?), providers_of(&play.exchanges)),
            None => (None, Vec::new()),
        };
        let sites = reached(&plan.config, (replay.as_ref(), &played), &client, clock)?;
        let (ledger, counters) = match &replay {
            Some(_) => of_no_account(&plan.config, clock)?,
            None => stores(&plan.config, state.as_deref(), clock)?,
        };
        let (terms, fixed) = (terms(&plan.config, clock)?, Fixed::of(&plan.config));
        let (listener, addr) = listen(plan.listen).await?;
        let entrance = Arc::new(Entrance::new(terms));
        let window = Back::open(plan.config.metrics).await?;
        let figures = Figures::new().map_err(StartError::Figures)?;
        let spans = spans::begin(plan.config.telemetry.as_ref(), &client, &figures)?;
        let found = Found {
            sites,
            client,
            clock,
            ledger,
            figures,
            entrance: Arc::clone(&entrance),
            shown: shown(plan.config.metrics, addr),
            counters,
            spans,
        };
        let shared = Arc::new(shared(plan.config, found, state.as_deref()).0);
        keys::begin(&shared).await.map_err(StartError::Spent)?;
        let (stop, stopped) = watch::channel(false);
        let gateway = Arc::new(Gateway::new(shared));
        let back = window.map(|back| back.serve(&gateway));
        let keeping = keep::begin(state.clone(), &gateway, stopped.clone());
        let keys = tokio::spawn(keys::watch(Arc::clone(&gateway), stopped.clone()));
        let breakers = tokio::spawn(breakers::talk(Arc::clone(&gateway), stopped));
        let serving = serve(listener, &gateway, &entrance);
        Ok(Self {
            addr,
            gateway,
            entrance,
            fixed,
            outward,
            back,
            earlier: Earlier::default(),
            played,
            stop,
            serving,
            keeping,
            keys,
            breakers,
            state,
            replay,
            recorder,
        })
    }
}

fn serve(
    listener: TcpListener,
    gateway: &Arc<Gateway>,
    entrance: &Arc<Entrance>,
) -> JoinHandle<()> {
    let front = Front::of(gateway, Face::Calls);
    tokio::spawn(server::serve(listener, front, Arc::clone(entrance)))
}

/// What outlasts a call: the ledger, and what is counted over calls.
fn stores(
    config: &Config,
    state: Option<&Path>,
    clock: Clock,
) -> Result<(Ledger, Counters), StartError> {
    let ledger = books::open(&config.ledger, state, clock).map_err(StartError::Ledger)?;
    let counters = counters::open(config.state.as_ref(), clock).map_err(StartError::State)?;
    Ok((ledger, counters))
}

/// The same where answers are played: they cost nobody anything.
fn of_no_account(config: &Config, clock: Clock) -> Result<(Ledger, Counters), StartError> {
    let ledger = books::played(&config.ledger, clock).map_err(StartError::Ledger)?;
    Ok((ledger, Counters::default()))
}

fn recorder(folder: &Path) -> Result<Arc<Recorder>, StartError> {
    let recorder = Recorder::new(folder).map_err(|error| StartError::Fixture(error.to_string()))?;
    Ok(Arc::new(recorder))
}

async fn player(play: &Play) -> Result<Replay, StartError> {
    let started = Replay::start(play.exchanges.clone(), play.pace).await;
    started.map_err(|error| StartError::Fixture(format!("the replay cannot listen: {error}")))
}

/// The providers as they are reached: at a replay, which does wrong what is configured, or over the network.
fn reached(
    config: &Config,
    (replay, played): (Option<&Replay>, &[String]),
    client: &Client,
    clock: Clock,
) -> Result<Vec<Site>, StartError> {
    if let Some(replay) = replay {
        let sites = replayed_sites(config, played, replay)?;
        replay.disturb(disturbances(config));
        Ok(sites)
    } else {
        only_played(config).map_err(StartError::Config)?;
        sites(config, client, clock)
    }
}
