//! From a configuration to a running house.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Config, Problem};
use crate::fixture::{Exchange, Pace, Recorder, Replay};
use crate::gateway::Gateway;
use crate::gateway::clock::Clock;
use crate::gateway::figures::Figures;
use crate::gateway::site::BadSite;
use crate::gateway::state;
use crate::net::{Entrance, Limits, Tap, Terms, server};
use crate::store::sqlite::OpenError;

mod back;
pub mod books;
mod end;
pub mod house;
mod reload;
mod sites;
pub mod tls;

use self::back::{Back, Serving, listen, shown};
use self::house::{Found, shared};
use self::reload::{Earlier, Fixed};
use self::sites::{providers_of, replayed_sites, sites};
use self::tls::Outward;

/// How often statistics are kept.
const KEEP_EVERY: Duration = Duration::from_secs(30);

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

/// A running house.
#[derive(Debug)]
pub struct App {
    addr: SocketAddr,
    gateway: Arc<Gateway>,
    entrance: Arc<Entrance>,
    fixed: Fixed,
    outward: Outward,
    back: Option<Serving>,
    earlier: Earlier,
    played: Vec<String>,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    keeping: Option<JoinHandle<()>>,
    state: Option<PathBuf>,
    replay: Option<Replay>,
    recorder: Option<Arc<Recorder>>,
}

/// Why a house cannot run.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The configuration cannot be used.
    Config(Problem),
    /// A provider cannot be reached as configured.
    Site(BadSite),
    /// TLS cannot be set up.
    Tls(rustls::Error),
    /// A certificate, a key or an authority cannot be used.
    Certificate(String),
    /// Recordings cannot be written or played.
    Fixture(String),
    /// The ledger cannot be kept.
    Ledger(OpenError),
    /// Figures cannot be kept.
    Figures(prometheus::Error),
    /// The system gives no signals.
    Signals(io::Error),
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
        let recorder = match &plan.record {
            Some(folder) => Some(recorder(folder)?),
            None => None,
        };
        let tap = recorder.clone().map(|recorder| recorder as Arc<dyn Tap>);
        let outward = Outward::new(&plan.config, tap)?;
        let client = outward.client(&plan.config)?;
        let Setting { clock, state } = setting;
        let mut played = Vec::new();
        let (replay, sites) = match plan.play {
            Some(play) => {
                played = providers_of(&play.exchanges);
                let replay = player(play).await?;
                let sites = replayed_sites(&plan.config, &played, &replay)?;
                (Some(replay), sites)
            }
            None => (None, sites(&plan.config, &client, clock)?),
        };
        let ledger = match &replay {
            // What is played costs nobody anything.
            Some(_) => books::played(&plan.config.ledger, clock),
            None => books::open(&plan.config.ledger, state.as_deref(), clock),
        };
        let ledger = ledger.map_err(StartError::Ledger)?;
        let (terms, fixed) = (terms(&plan.config, clock)?, Fixed::of(&plan.config));
        let (listener, addr) = listen(plan.listen).await?;
        let entrance = Arc::new(Entrance::new(terms));
        let window = Back::open(plan.config.metrics).await?;
        let found = Found {
            sites,
            client,
            clock,
            ledger,
            figures: Figures::new().map_err(StartError::Figures)?,
            entrance: Arc::clone(&entrance),
            shown: shown(plan.config.metrics, addr),
        };
        let shared = Arc::new(shared(plan.config, found, state.as_deref()).0);
        let (stop, stopped) = watch::channel(false);
        let gateway = Arc::new(Gateway::new(shared));
        let back = window.map(|back| back.serve(Arc::clone(&gateway)));
        let keeping = state
            .clone()
            .map(|folder| tokio::spawn(keep(folder, Arc::clone(&gateway), stopped)));
        let service = Arc::clone(&gateway);
        let serving = server::serve(listener, service, Arc::clone(&entrance));
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
            serving: vec![tokio::spawn(serving)],
            keeping,
            state,
            replay,
            recorder,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where figures are told, if that is a place of its own.
    #[must_use]
    pub fn back(&self) -> Option<SocketAddr> {
        self.back.as_ref().map(|back| back.addr)
    }

    /// The providers that are on.
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        self.gateway.now().on.clone()
    }

    /// What plays the providers, where nothing goes to the network.
    #[must_use]
    pub const fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }
}

/// Keeps the statistics every now and then, and at the end.
async fn keep(folder: PathBuf, gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut failed = false;
    loop {
        let ended = tokio::time::timeout(KEEP_EVERY, stopped.changed())
            .await
            .is_ok();
        let (place, house) = (folder.clone(), gateway.now());
        #[expect(
            clippy::disallowed_methods,
            reason = "a small file each half minute, beside the threads that serve"
        )]
        let written = tokio::task::spawn_blocking(move || {
            state::write(&place, &house.pilot.board, &house.pilot.vitals)
        });
        if let Ok(Err(error)) = written.await
            && !std::mem::replace(&mut failed, true)
        {
            tracing::warn!(%error, folder = %folder.display(), "the statistics cannot be kept");
        }
        if ended {
            return;
        }
    }
}

fn recorder(folder: &std::path::Path) -> Result<Arc<Recorder>, StartError> {
    let recorder = Recorder::new(folder).map_err(|error| StartError::Fixture(error.to_string()))?;
    Ok(Arc::new(recorder))
}

async fn player(play: Play) -> Result<Replay, StartError> {
    let started = Replay::start(play.exchanges, play.pace).await;
    started.map_err(|error| StartError::Fixture(format!("the replay cannot listen: {error}")))
}

/// What connections are taken on.
fn terms(config: &Config, clock: Clock) -> Result<Terms, StartError> {
    let limits = Limits {
        head: config.limits.head,
        head_timeout: config.limits.header_timeout,
        keep_alive: config.limits.keep_alive,
        write_stall: config.limits.write_stall,
        connections: config.limits.connections,
    };
    let tls = tls::shown(&config.tls, clock)?;
    Ok(Terms { limits, tls })
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(addr, error) => write!(formatter, "cannot listen on {addr}: {error}"),
            Self::Config(problem) => write!(formatter, "{problem}"),
            Self::Site(BadSite(what)) | Self::Certificate(what) | Self::Fixture(what) => {
                formatter.write_str(what)
            }
            Self::Tls(error) => write!(formatter, "cannot set up TLS: {error}"),
            Self::Ledger(error) => write!(formatter, "{error}"),
            Self::Figures(error) => write!(formatter, "cannot keep figures: {error}"),
            Self::Signals(error) => write!(formatter, "cannot listen for signals: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
