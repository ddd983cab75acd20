//! What all tasks of shared counters hold, and how purses are asked.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Script;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::account::Money;
use crate::account::budget::Short;
use crate::store::counters::gates::Gates;
use crate::store::counters::purses::{Due, Lacking, Want};

use super::own::{Line, MOST, Mine, ends};
use super::script::{Asking, SETTLE, Said, TAKE, members, purse};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// What all tasks of it hold.
pub(super) struct Core {
    pub(super) mine: Mutex<Mine>,
    /// Calls inside, and limits for the time that the server is away.
    pub(super) gates: Gates,
    /// This process, among all that ever told something.
    pub(super) process: String,
    pub(super) runtime: Handle,
    /// The line is gone, or the end has come.
    pub(super) wake: Arc<Notify>,
    /// Something came back.
    pub(super) freed: Notify,
    /// How much is being told that nobody waits for.
    pub(super) telling: AtomicUsize,
    pub(super) closed: AtomicBool,
}

/// What was taken. Dropped before anybody has it, it comes back.
pub(super) struct Taken {
    core: Arc<Core>,
    dues: Arc<[Due]>,
    sum: Money,
    now: u64,
}

/// Why nothing was taken.
pub(super) enum Not {
    Short(Lacking),
    Away,
}

impl fmt::Debug for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Core")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn mine(&self) -> MutexGuard<'_, Mine> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn line(&self) -> Option<Line> {
        self.mine().line.clone()
    }

    /// Asks under a lease. A lease that gets no answer is given up, with all that may have been asked under it.
    pub(super) async fn ask(&self, line: &Line, script: &Script, asking: Asking) -> Option<Said> {
        let asked = asking.ask(script, line.connection.clone());
        let said = match tokio::time::timeout(ANSWER, asked).await {
            Ok(Ok(said)) if said.first().is_some_and(|word| word != "lease") => return Some(said),
            Ok(Ok(_)) => "the lease has ended".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if self.drop_line(&line.lease) {
            tracing::warn!(error = said, "the counters that nodes share are away");
        }
        None
    }

    /// Gives a lease up; says whether that is news.
    fn drop_line(&self, lease: &str) -> bool {
        let mut mine = self.mine();
        let news = mine.holds(lease);
        if news {
            mine.line = None;
            self.wake.notify_one();
        }
        news
    }

    pub(super) async fn take(self: Arc<Self>, wish: Wish) -> Result<Taken, Not> {
        let line = self.line().ok_or(Not::Away)?;
        let mut asking = Asking::new()
            .key(members(&line.lease))
            .word(&line.lease)
            .word(&self.process)
            .word(wish.want.least.as_nano())
            .word(wish.want.wanted.as_nano())
            .word(wish.now)
            .word(wish.want.mine.as_nano());
        for due in &*wish.dues {
            asking = asking
                .key(purse(&due.purse))
                .word(due.budget.most.as_nano().min(MOST))
                .word(ends(due.budget.period, wish.now));
        }
        let said = self.ask(&line, &TAKE, asking).await.ok_or(Not::Away)?;
        let number = |at: usize| said.get(at).and_then(|text| text.parse::<u64>().ok());
        if said.first().is_some_and(|word| word == "short") {
            let at = number(1).and_then(|at| usize::try_from(at).ok());
            let due = at
                .and_then(|at| wish.dues.get(at))
                .or_else(|| wish.dues.first());
            return Err(due.map_or(Not::Away, |due| {
                Not::Short(Lacking {
                    due: due.clone(),
                    short: Short {
                        left: Money::nano(number(2).unwrap_or(0)),
                        hope: number(3) == Some(1),
                    },
                    away: false,
                })
            }));
        }
        let given = Money::nano(number(1).unwrap_or(0));
        let mut mine = self.mine();
        if !mine.holds(&line.lease) {
            // It was taken under a lease that has ended since, and with it.
            return Err(Not::Away);
        }
        for (due, said) in wish
            .dues
            .iter()
            .zip(said.get(2..).unwrap_or_default().chunks(3))
        {
            let own = mine.own(due);
            own.reserve(given);
            own.heard(said);
        }
        drop(mine);
        Ok(Taken {
            core: self,
            dues: wish.dues,
            sum: given,
            now: wish.now,
        })
    }

    /// Notes here what is settled, and tells it.
    pub(super) fn settle(self: &Arc<Self>, dues: &[Due], sums: (Money, Money), now: u64) {
        let mut asking = Asking::new();
        let mut words = Vec::new();
        let mut mine = self.mine();
        for due in dues {
            let own = mine.own(due);
            own.settle(sums);
            asking = asking.key(purse(&due.purse));
            words.extend([ends(due.budget.period, now), own.cost()]);
        }
        let line = mine.line.clone();
        drop(mine);
        self.freed.notify_waiters();
        let Some(line) = line else {
            return;
        };
        asking = asking.word(&line.lease).word(&self.process);
        asking = asking.word(sums.0.as_nano()).word(now);
        asking = words.into_iter().fold(asking, Asking::word);
        let (core, dues): (_, Vec<Due>) = (Arc::clone(self), dues.to_vec());
        self.tell(async move {
            let said = core.ask(&line, &SETTLE, asking).await;
            let mut mine = core.mine();
            if let Some(said) = said.filter(|_| mine.holds(&line.lease)) {
                let each = said.get(2..).unwrap_or_default().chunks(3);
                for (due, said) in dues.iter().zip(each) {
                    mine.own(due).heard(said);
                }
            }
        });
    }

    /// Tells something that nobody waits for.
    pub(super) fn tell(self: &Arc<Self>, telling: impl Future<Output = ()> + Send + 'static) {
        self.telling.fetch_add(1, Ordering::AcqRel);
        let core = Arc::clone(self);
        self.runtime.spawn(async move {
            telling.await;
            core.telling.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

/// What is wanted of which purses, and when.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) dues: Arc<[Due]>,
    pub(super) want: Want,
    now: u64,
}

impl Taken {
    /// Somebody has it.
    pub(super) fn keep(mut self) -> Money {
        self.dues = Arc::new([]);
        self.sum
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.dues.is_empty() {
            self.core
                .settle(&self.dues, (self.sum, Money::ZERO), self.now);
        }
    }
}

/// Nobody knows what there is.
pub(super) fn unknown(wish: &Wish) -> Option<Lacking> {
    wish.dues.first().map(|due| Lacking {
        due: due.clone(),
        short: Short {
            left: Money::ZERO,
            hope: false,
        },
        away: true,
    })
}

/// Each purse once.
pub(super) fn once(dues: &[Due]) -> Arc<[Due]> {
    let mut each: Vec<Due> = Vec::with_capacity(dues.len());
    for due in dues {
        if !each.iter().any(|one| one.purse == due.purse) {
            each.push(due.clone());
        }
    }
    each.into()
}

impl Wish {
    pub(super) fn of(dues: &[Due], want: Want, now: u64) -> Self {
        Self {
            dues: once(dues),
            want,
            now,
        }
    }
}
