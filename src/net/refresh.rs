//! A value that expires and is fetched anew: read without a lock, fetched once however many wait, and fetched ahead of
//! its end while the old one still serves. Knows nothing of what the value is.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a failure stands before another fetch is made for those who wait.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a failure stands while there still is a value that holds.
const LONG_PAUSE: Duration = Duration::from_secs(30);
/// A value is not used in its last seconds: what it is sent with takes time to arrive.
const MARGIN: u64 = 10;
/// A value younger than this is not fetched anew because somebody refused it.
const SETTLED: Duration = Duration::from_secs(30);

/// A value with its end.
#[derive(Clone, Debug)]
pub struct Fresh<T> {
    /// The value.
    pub value: T,
    /// Unix seconds of its end; `None` where it has none.
    pub until: Option<u64>,
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfetched(pub Arc<str>);

impl fmt::Display for Unfetched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unfetched {}

/// One fetch.
pub type Fetching<T> = Pin<Box<dyn Future<Output = Result<Fresh<T>, Unfetched>> + Send>>;

/// What is held.
struct Held<T> {
    value: Arc<T>,
    until: Option<u64>,
    ahead: Option<u64>,
    since: Instant,
}

/// What of fetches is known.
struct Flight<T> {
    running: Option<watch::Receiver<Option<Outcome<T>>>>,
    failed: Option<(Unfetched, Instant)>,
}

type Outcome<T> = Result<Arc<T>, Unfetched>;

struct Inner<T> {
    held: ArcSwapOption<Held<T>>,
    flight: Mutex<Flight<T>>,
    fetch: Box<dyn Fn() -> Fetching<T> + Send + Sync>,
}

/// Keeps a value fresh. Clones share it.
pub struct Refresher<T>(Arc<Inner<T>>);

impl<T> Clone for Refresher<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Refresher<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Refresher").finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Refresher<T> {
    /// A value that `fetch` fetches. Nothing is fetched before it is asked for.
    pub fn new(fetch: impl Fn() -> Fetching<T> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            held: ArcSwapOption::empty(),
            flight: Mutex::new(Flight {
                running: None,
                failed: None,
            }),
            fetch: Box::new(fetch),
        }))
    }

    /// The value, if it is there and holds at `now` (Unix seconds). Where it soon ends, a fetch begins behind the
    /// caller's back. Must be called within a runtime.
    #[must_use]
    pub fn ready(&self, now: u64) -> Option<Arc<T>> {
        let held = self.0.held.load();
        let held = held.as_ref().filter(|held| holds(held, now))?;
        if held.ahead.is_some_and(|ahead| now >= ahead) {
            let mut flight = self.0.flight();
            if flight.waiting().is_none() && !flight.pauses() {
                self.begin(&mut flight, now);
            }
        }
        Some(Arc::clone(&held.value))
    }

    /// The value, fetched where it has to be. A fetch that has begun goes on though nobody waits any more.
    ///
    /// # Errors
    /// Why it cannot be fetched, or could not be a moment ago.
    pub async fn value(&self, now: u64) -> Result<Arc<T>, Unfetched> {
        if let Some(value) = self.ready(now) {
            return Ok(value);
        }
        let mut waiting = {
            let mut flight = self.0.flight();
            if let Some(held) = self.0.held.load().as_ref().filter(|held| holds(held, now)) {
                return Ok(Arc::clone(&held.value));
            }
            match flight.waiting() {
                Some(waiting) => waiting,
                None if flight.pauses() => return Err(flight.failure()),
                None => self.begin(&mut flight, now),
            }
        };
        match waiting.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(gone())),
            Err(_) => Err(gone()),
        }
    }

    /// Drops a value that was refused, so that the next caller fetches another; says whether it did. Only this very
    /// value is dropped, however many had it refused, and only once it is old enough that age may be what is wrong.
    pub fn discard(&self, value: &Arc<T>) -> bool {
        let held = self.0.held.load_full();
        let Some(held) = held.filter(|held| Arc::ptr_eq(&held.value, value)) else {
            return true;
        };
        if held.since.elapsed() < SETTLED {
            return false;
        }
        self.0.held.compare_and_swap(&Some(held), None);
        true
    }

    /// Begins a fetch of its own.
    fn begin(&self, flight: &mut Flight<T>, now: u64) -> watch::Receiver<Option<Outcome<T>>> {
        let (tell, waiting) = watch::channel(None);
        flight.running = Some(waiting.clone());
        let inner = Arc::clone(&self.0);
        let begun = Instant::now();
        tokio::spawn(async move {
            let fetched = (inner.fetch)().await;
            let now = now.saturating_add(begun.elapsed().as_secs());
            let outcome = inner.settle(fetched, now);
            tell.send_replace(Some(outcome));
        });
        waiting
    }
}

impl<T> Inner<T> {
    /// Nothing that holds this lock can panic, and if it did, what it guards would still be whole.
    fn flight(&self) -> MutexGuard<'_, Flight<T>> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, fetched: Result<Fresh<T>, Unfetched>, now: u64) -> Outcome<T> {
        let mut flight = self.flight();
        flight.running = None;
        match fetched {
            Ok(fresh) => {
                flight.failed = None;
                let value = Arc::new(fresh.value);
                self.held.store(Some(Arc::new(Held {
                    value: Arc::clone(&value),
                    until: fresh.until,
                    ahead: fresh.until.map(|until| ahead(now, until)),
                    since: Instant::now(),
                })));
                Ok(value)
            }
            Err(error) => {
                let holds = self
                    .held
                    .load()
                    .as_ref()
                    .is_some_and(|held| holds(held, now));
                let pause = if holds { LONG_PAUSE } else { PAUSE };
                flight.failed = Some((error.clone(), Instant::now() + pause));
                Err(error)
            }
        }
    }
}

impl<T> Flight<T> {
    /// The fetch that is under way; one whose task is gone is not.
    fn waiting(&self) -> Option<watch::Receiver<Option<Outcome<T>>>> {
        let running = self.running.as_ref()?;
        running.has_changed().is_ok().then(|| running.clone())
    }

    /// Whether the last fetch failed so lately that none is made.
    fn pauses(&self) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|(_, until)| Instant::now() < *until)
    }

    fn failure(&self) -> Unfetched {
        self.failed
            .as_ref()
            .map_or_else(gone, |(error, _)| error.clone())
    }
}

fn gone() -> Unfetched {
    Unfetched("the fetch was broken off".into())
}

fn holds<T>(held: &Held<T>, now: u64) -> bool {
    held.until
        .is_none_or(|until| now.saturating_add(MARGIN) < until)
}

/// When to fetch anew: after four fifths of the time that the value is used, a little earlier here and there so that
/// several proxies do not all ask at once.
fn ahead(now: u64, until: u64) -> u64 {
    let life = until.saturating_sub(now).saturating_sub(MARGIN);
    let sooner = fastrand::u64(0..=life / 20);
    now.saturating_add((life.saturating_mul(4) / 5).saturating_sub(sooner))
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
