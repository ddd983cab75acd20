//! Gates that nodes share. While the server is away each node keeps to the limits alone, if it is told to go on.

use std::sync::Arc;
use std::time::Duration;

use crate::account::Rate;
use crate::account::limit::Standing;
use crate::store::counters::gates::{Entered, Gated, Kind, Refused, tighter};

use super::node::Core;
use super::own::Line;
use super::script::{Asking, ENTER, LEAVE, Said, TOKENS, gate, members};

/// 2025-01-01 in milliseconds: ticks since then are exact in a script for 28 years.
const SINCE: u64 = 1_735_689_600_000;
/// Nanoseconds of a tick.
const TICK: u64 = 100;
/// Ticks in a minute.
const MINUTE: u64 = 600_000_000;
/// Ticks in a millisecond.
const MILLI: u64 = 10_000;
/// When to ask again for what nobody knows.
const SOON: Duration = Duration::from_secs(1);

/// A place in all gates. Dropped before anybody has it, it is given back.
pub(super) struct Inside {
    core: Arc<Core>,
    gates: Vec<Gated>,
    entered: Entered,
}

impl Inside {
    pub(super) fn keep(mut self) -> Entered {
        self.gates.clear();
        self.entered
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if !self.gates.is_empty() {
            self.core.leave(&self.gates);
        }
    }
}

impl Core {
    /// Takes a place in all gates; `None` where nobody can say whether there is one.
    pub(super) async fn enter(
        self: Arc<Self>,
        gates: Vec<Gated>,
        now: u64,
    ) -> Option<Result<Inside, Refused>> {
        let line = self.line()?;
        let mut asking = Asking::new()
            .key(members(&line.lease))
            .word(&line.lease)
            .word(since(now));
        for gated in &gates {
            let places = gated.at_once.map_or(-1, i64::from);
            asking = asking.key(gate(&gated.gate)).word(places);
            asking = asking
                .word(span(gated.requests, 1))
                .word(whole(gated.requests));
        }
        let said = self.ask(&line, &ENTER, asking).await?;
        if said.first().is_some_and(|word| word != "ok") {
            let kind = if said.first().is_some_and(|word| word == "crowded") {
                Kind::AtOnce
            } else {
                Kind::Requests
            };
            return refused(&gates, kind, 1, &said).map(Err);
        }
        let mut entered = Entered::default();
        for (gated, ahead) in gates
            .iter()
            .zip(said.get(1..).unwrap_or_default().chunks(2))
        {
            for (rate, ahead, known) in [
                (gated.requests, ahead.first(), &mut entered.requests),
                (gated.tokens, ahead.get(1), &mut entered.tokens),
            ] {
                if let (Some(rate), Some(ahead)) = (rate, ahead) {
                    *known = Some(tighter(*known, standing(rate, ticks(ahead))));
                }
            }
        }
        let mut mine = self.mine();
        if !mine.holds(&line.lease) {
            return None;
        }
        mine.changes = mine.changes.wrapping_add(1);
        self.gates.let_in(&gates);
        drop(mine);
        Some(Ok(Inside {
            core: self,
            gates,
            entered,
        }))
    }

    /// Gives the place in all gates back.
    pub(super) fn leave(self: &Arc<Self>, gates: &[Gated]) {
        let mut mine = self.mine();
        mine.changes = mine.changes.wrapping_add(1);
        self.gates.leave(gates);
        let line = mine.line.clone();
        drop(mine);
        let Some(line) = line else {
            return;
        };
        let asking = Asking::new().word(&line.lease);
        let asking = gates
            .iter()
            .fold(asking, |asking, gated| asking.key(gate(&gated.gate)));
        let core = Arc::clone(self);
        self.tell(async move {
            let _ = core.ask(&line, &LEAVE, asking).await;
        });
    }

    /// Takes tokens; `None` where nobody can say whether they are there.
    pub(super) async fn take_tokens(
        &self,
        gates: &[Gated],
        count: u64,
        now: u64,
    ) -> Option<Result<Option<Standing>, Refused>> {
        let line = self.line()?;
        let counted = counted(gates);
        let asking = tokens("ask", &counted, now, |rate| {
            span(Some(rate), count).to_string()
        });
        let said = self.ask(&line, &TOKENS, asking).await?;
        if said.first().is_some_and(|word| word == "closed") {
            let gates: Vec<Gated> = counted.iter().map(|(gated, _)| (*gated).clone()).collect();
            return refused(&gates, Kind::Tokens, count, &said).map(Err);
        }
        let ahead = said.get(1..).unwrap_or_default();
        let each = counted.iter().zip(ahead);
        Some(Ok(each.fold(None, |known, ((_, rate), ahead)| {
            Some(tighter(known, standing(*rate, ticks(ahead))))
        })))
    }

    /// Says how many tokens were used of those that were taken.
    pub(super) fn correct(self: &Arc<Self>, gates: &[Gated], (taken, used): (u64, u64), now: u64) {
        let counted = counted(gates);
        let Some(line) = self.line().filter(|_| !counted.is_empty()) else {
            self.gates.correct(gates, (taken, used), now);
            return;
        };
        let change = |rate| {
            let ticks = span(Some(rate), taken.abs_diff(used));
            let sign = if used < taken { "-" } else { "" };
            format!("{sign}{ticks}")
        };
        let asking = tokens("force", &counted, now, change);
        let (core, line): (_, Line) = (Arc::clone(self), line);
        self.tell(async move {
            let _ = core.ask(&line, &TOKENS, asking).await;
        });
    }
}

/// The gates that count tokens.
fn counted(gates: &[Gated]) -> Vec<(&Gated, Rate)> {
    let each = gates.iter();
    each.filter_map(|gated| Some((gated, gated.tokens?)))
        .collect()
}

fn tokens(
    how: &str,
    counted: &[(&Gated, Rate)],
    now: u64,
    change: impl Fn(Rate) -> String,
) -> Asking {
    let asking = Asking::new().word(how).word(since(now));
    counted.iter().fold(asking, |asking, (gated, rate)| {
        asking
            .key(gate(&gated.gate))
            .word(change(*rate))
            .word(whole(Some(*rate)))
    })
}

/// Nobody knows how the gates stand.
pub(super) fn unknown(gates: &[Gated]) -> Option<Refused> {
    gates.first().map(|gated| Refused {
        gate: Arc::clone(&gated.gate),
        kind: Kind::Away,
        limit: 0,
        after: Some(SOON),
        standing: None,
    })
}

fn refused(gates: &[Gated], kind: Kind, count: u64, said: &Said) -> Option<Refused> {
    let at: usize = said.get(1)?.parse().ok()?;
    let gated = gates.get(at)?;
    let rate = match kind {
        Kind::Requests => gated.requests,
        Kind::Tokens => gated.tokens,
        Kind::AtOnce | Kind::Away => None,
    };
    let ahead = said.get(2).map_or(0, |text| ticks(text));
    let after = rate.filter(|rate| count <= rate.count()).map(|rate| {
        let wanted = ahead.saturating_add(span(Some(rate), count));
        time(wanted.saturating_sub(whole(Some(rate))))
    });
    let places = gated.at_once.map_or(0, u64::from);
    Some(Refused {
        gate: Arc::clone(&gated.gate),
        kind,
        limit: rate.map_or(places, Rate::count),
        after,
        standing: rate.map(|rate| standing(rate, ahead)),
    })
}

fn standing(rate: Rate, ahead: u64) -> Standing {
    let room = whole(Some(rate)).saturating_sub(ahead);
    Standing {
        limit: rate.count(),
        remaining: room.checked_div(span(Some(rate), 1)).unwrap_or(0),
        reset: time(ahead),
    }
}

/// The ticks of so many; none where there is no limit.
fn span(rate: Option<Rate>, count: u64) -> u64 {
    rate.map_or(0, |rate| {
        MINUTE.div_ceil(rate.count()).saturating_mul(count)
    })
}

fn whole(rate: Option<Rate>) -> u64 {
    span(rate, rate.map_or(0, Rate::count))
}

/// A time as scripts count it.
const fn since(millis: u64) -> u64 {
    millis.saturating_sub(SINCE).saturating_mul(MILLI)
}

fn ticks(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

const fn time(ticks: u64) -> Duration {
    Duration::from_nanos(ticks.saturating_mul(TICK))
}
