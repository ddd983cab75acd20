//! Counters in a Redis or Valkey that many nodes share. Every operation is one script, which takes of all or of none.
//!
//! A node asks under a lease, which ends with its connection, and after a while without a sign of life. What it has
//! reserved is also kept here, and so is what it was told of each purse: after an outage it tells both again under a
//! new lease, so that a server which has lost something learns it from the nodes. Sums that were spent are told as the
//! total of this process, so that one which is told twice counts once.

mod breakers;
mod gates;
mod link;
mod node;
mod own;
mod script;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::account::limit::Standing;
use crate::account::{Money, Period, Purse};

pub use breakers::{Opened, Word};

use super::gates::{Entered, Gated, Gates, Refused};
use super::purses::{Due, Lacking, Want};
use node::{Core, Not, Wish, once, unknown};
use own::{MOST, ends};
use script::{Asking, PART, SEED, gate, purse};

/// How long a server that is away is waited for by a call.
const AWAY: Duration = Duration::from_millis(250);
/// How often a purse is looked at again by a call that waits for others.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end waits for what is still to be told.
const LAST: Duration = Duration::from_secs(1);

/// What becomes of calls while the server is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAway {
    /// They are refused.
    Refuse,
    /// They go on: this node counts alone, and tells the others later.
    Serve,
}

/// Where the server is and what to do without it.
#[derive(Clone)]
pub struct State {
    /// `redis://…`; it may hold a password.
    pub url: String,
    /// Calls that have a budget.
    pub capped: WhenAway,
    /// Calls that have only limits.
    pub uncapped: WhenAway,
    /// Unix seconds.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// Why counters cannot be shared: the address is none. It is not repeated, as it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadState;

/// Counters that are shared.
#[derive(Debug)]
pub struct Shared {
    core: Arc<Core>,
    capped: WhenAway,
    uncapped: WhenAway,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("capped", &self.capped)
            .field("uncapped", &self.uncapped)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for BadState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it is no address of a Redis: redis://user:password@host:6379/0")
    }
}

impl std::error::Error for BadState {}

impl Shared {
    /// Counters that are kept there, and asked for from this moment on.
    ///
    /// # Errors
    /// Where the address is none.
    pub fn new(state: State) -> Result<Self, BadState> {
        let client = redis::Client::open(state.url.as_str()).map_err(|_| BadState)?;
        let core = Arc::new(Core {
            mine: Mutex::default(),
            gates: Gates::default(),
            process: format!("{:016x}", fastrand::u64(..)),
            runtime: Handle::current(),
            wake: Arc::default(),
            freed: Notify::new(),
            telling: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&core);
        core.runtime.spawn(link::keep(weak, client, state.now));
        Ok(Self {
            core,
            capped: state.capped,
            uncapped: state.uncapped,
        })
    }

    pub(super) async fn seed(&self, due: &Due, spent: Money, now: u64) {
        let until = ends(due.budget.period, now);
        self.core.mine().own(due).begins_with(spent, until);
        // Without a line it is told once there is one.
        if let Some(line) = self.core.line() {
            let asking = Asking::new()
                .key(purse(&due.purse))
                .word(&line.lease)
                .word(until)
                .word(spent.as_nano().min(MOST));
            let _ = self.core.ask(&line, &SEED, asking).await;
        }
    }

    /// Takes, waiting for others and for the server as long as may be.
    pub(super) async fn take(
        &self,
        dues: &[Due],
        want: Want,
        now: u64,
        patience: Duration,
    ) -> Result<Money, Lacking> {
        let want = Wish::of(dues, want, now);
        let began = Instant::now();
        let (until, away) = (began + patience, began + AWAY);
        loop {
            let (told, heard) = oneshot::channel();
            let taking = Arc::clone(&self.core).take(want.clone());
            // Whoever asks may be gone before the answer, which must not stay taken.
            self.core.runtime.spawn(async move {
                let _ = told.send(taking.await);
            });
            let freed = self.core.freed.notified();
            let lacking = match heard.await.unwrap_or(Err(Not::Away)) {
                Ok(taken) => return Ok(taken.keep()),
                Err(Not::Short(lacking)) if lacking.short.hope && Instant::now() < until => lacking,
                Err(Not::Short(lacking)) => return Err(lacking),
                Err(Not::Away) if self.capped == WhenAway::Serve => return Ok(self.alone(&want)),
                Err(Not::Away) => match unknown(&want) {
                    Some(lacking) => lacking,
                    // Nothing is asked of nobody.
                    None => return Ok(want.want.wanted),
                },
            };
            if lacking.away && Instant::now() >= away {
                return Err(lacking);
            }
            let look = LOOK + Duration::from_millis(fastrand::u64(..20));
            let _ = timeout_at((Instant::now() + look).min(until.max(away)), freed).await;
        }
    }

    pub(super) fn settle(&self, dues: &[Due], sums: (Money, Money), now: u64) {
        self.core.settle(&once(dues), sums, now);
    }

    pub(super) async fn purse(&self, id: &str) -> Option<Purse> {
        let mut connection = self.core.line()?.connection;
        let mut asked = redis::cmd("HMGET");
        asked.arg(purse(id)).arg("spent").arg("reserved");
        let asked = asked.query_async::<(Option<u64>, Option<u64>)>(&mut connection);
        let (spent, reserved) = asked.await.ok()?;
        let mut purse = Purse::after(Money::nano(spent?), Period::Total, 0);
        purse.reserve(Money::nano(reserved.unwrap_or(0)));
        Some(purse)
    }

    pub(super) async fn breakers(&self, words: &[(String, Word, u32)]) -> Option<Vec<Opened>> {
        self.core.breakers(words).await
    }

    /// Tells what is still to be told and gives the lease up.
    pub(super) async fn close(&self) {
        let until = Instant::now() + LAST;
        while self.core.telling.load(Ordering::Acquire) > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.core.closed.store(true, Ordering::Release);
        if let Some(line) = self.core.line() {
            let asking = Asking::new().word(&line.lease);
            let _ = self.core.ask(&line, &PART, asking).await;
        }
        self.core.wake.notify_one();
    }

    pub(super) async fn enter(&self, gates: &[Gated], now: u64) -> Result<Entered, Refused> {
        let (told, heard) = oneshot::channel();
        let entering = Arc::clone(&self.core).enter(gates.to_vec(), now);
        self.core.runtime.spawn(async move {
            let _ = told.send(entering.await);
        });
        if let Some(entered) = heard.await.ok().flatten() {
            return entered.map(gates::Inside::keep);
        }
        self.may_go_on(gates)?;
        let entered = self.core.gates.enter(gates, now)?;
        let mut mine = self.core.mine();
        mine.changes = mine.changes.wrapping_add(1);
        Ok(entered)
    }

    pub(super) fn leave(&self, gates: &[Gated]) {
        self.core.leave(gates);
    }

    pub(super) async fn take_tokens(
        &self,
        gates: &[Gated],
        count: u64,
        now: u64,
    ) -> Result<Option<Standing>, Refused> {
        if let Some(taken) = self.core.take_tokens(gates, count, now).await {
            return taken;
        }
        self.may_go_on(gates)?;
        self.core.gates.take_tokens(gates, count, now)
    }

    pub(super) fn correct(&self, gates: &[Gated], counts: (u64, u64), now: u64) {
        self.core.correct(gates, counts, now);
    }

    pub(super) async fn inside(&self, id: &str) -> u32 {
        let Some(line) = self.core.line() else {
            return self.core.gates.inside(id);
        };
        let mut asked = redis::cmd("HGET");
        asked.arg(gate(id)).arg("inside");
        let asked = asked
            .query_async::<Option<u32>>(&mut { line.connection })
            .await;
        asked.ok().flatten().unwrap_or(0)
    }

    /// Whether a call goes on while nobody can be asked.
    fn may_go_on(&self, gates: &[Gated]) -> Result<(), Refused> {
        match self.uncapped {
            WhenAway::Serve => Ok(()),
            WhenAway::Refuse => gates::unknown(gates).map_or(Ok(()), Err),
        }
    }

    /// Reserves here alone, for as long as nobody else can be asked.
    fn alone(&self, want: &Wish) -> Money {
        let mut mine = self.core.mine();
        want.dues
            .iter()
            .for_each(|due| mine.own(due).reserve(want.want.wanted));
        want.want.wanted
    }
}
