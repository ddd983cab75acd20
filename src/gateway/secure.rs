//! Sees before each attempt that it can be paid, and while a stream goes on that the rest of it can be.

use std::sync::Arc;

use crate::account::key::Unpriced;
use crate::account::{Meter, Money, Pace};
use crate::chat::{Code, Error};
use crate::store::counters::Lacking;

use super::course::{Course, Grant, Leg, Prompt};
use super::keyring::whose;
use super::purse::{FIRST, Hold, KeptBy, Lease};
use super::receive::Received;
use super::settle::Trip;

/// What the message of a spent budget ends with.
const ADVICE: &str =
    "Nothing was sent. Raise the budget, wait for its next period, or ask for less.";

/// The message of a budget that cannot be kept, as nobody writes down what is spent.
const AWAY: &str = "Nothing was sent: the ledger does not take rows, and this call has a budget to keep. Try again in a \
                    moment.";

/// Reserves what an attempt may cost in all purses of the call; a stream that can be cut gets its first slice.
///
/// # Errors
/// A budget that has not so much left, or that cannot be kept for want of a price.
pub async fn secure(
    trip: &mut Trip,
    received: &Received,
    course: &Course,
    leg: &Leg,
    grant: Grant,
) -> Result<Grant, Error> {
    let Some(dues) = &received.dues else {
        return Ok(grant);
    };
    let shared = Arc::clone(trip.shared());
    if shared.ledger.is_away() {
        return Err(Error::new(Code::LedgerUnavailable, AWAY));
    }
    let counters = Arc::clone(&shared.counters);
    let begin = || Box::new(Hold::new(counters, shared.clock, Arc::clone(dues)));
    let mut hold = trip.hold.take().unwrap_or_else(begin);
    let capped = grant.meter.is_some();
    let prompt = if capped {
        Prompt::AtMost
    } else {
        Prompt::Likely
    };
    let worst = course.worst(&shared, received, leg, prompt);
    let bound = grant
        .bound
        .filter(|_| worst != super::worst::Worst::default());
    let bound = bound.or(worst.bound);
    let secured = match (worst.pace, bound) {
        (Some(pace), bound) => {
            let left = course.rules.cap.filter(|_| capped);
            let left = left.map(|cap| cap.most.minus(trip.route.ventured));
            let lease = Lease {
                cap: left.or(bound).unwrap_or(Money::MAX),
                kept_by: if capped { KeptBy::Meter } else { KeptBy::Limit },
                slice: FIRST,
            };
            let meter = self::lease(&mut hold, pace, lease).await;
            meter.map(|meter| Grant {
                meter: Some(meter.counted_by(shared.pilot.vocabulary())),
                ..grant
            })
        }
        (None, Some(bound)) => {
            let reserved = hold.reserve(bound, None).await;
            let bound = Some(bound);
            reserved.map(|()| Grant { bound, ..grant })
        }
        (None, None) => {
            trip.hold = Some(hold);
            return match shared.keyring.unpriced(received.holder.as_deref()) {
                Unpriced::Allow => Ok(grant),
                Unpriced::Refuse => Err(unpriced(leg)),
            };
        }
    };
    trip.hold = Some(hold);
    secured.map_err(|lacking| short(&lacking))
}

/// Leases the first slice of a stream; gives back what meters it.
async fn lease(hold: &mut Hold, pace: Pace, lease: Lease) -> Result<Meter, Lacking> {
    let first = Meter::new(pace, Money::MAX).due_after(lease.slice);
    let first = first.min(lease.cap);
    let slice = lease.slice.saturating_mul(2);
    hold.reserve(first, Some(Lease { slice, ..lease })).await?;
    Ok(Meter::new(pace, first))
}

/// A budget that is spent, or too small for the call.
fn short(lacking: &Lacking) -> Error {
    if lacking.away {
        let message = format!(
            "Nothing was sent: nobody can say what is left of the budget of {}, as the counters that nodes share are \
             away. Try again in a moment.",
            whose(&lacking.due.purse)
        );
        return Error::new(Code::LedgerUnavailable, message);
    }
    let (due, whose) = (&lacking.due, whose(&lacking.due.purse));
    let period = match due.budget.period {
        crate::account::Period::Day => "the day's budget",
        crate::account::Period::Month => "the month's budget",
        crate::account::Period::Total => "the budget",
    };
    let message = format!(
        "There is not enough left of {period} of {whose} (${}) for what this call can cost. {ADVICE}",
        due.budget.most
    );
    Error::new(Code::InsufficientQuota, message)
}

/// The error event of a stream that a spent budget ends.
#[must_use]
pub fn exhausted(lacking: &Lacking) -> Error {
    if lacking.away {
        let message = format!(
            "Nobody can say what is left of the budget of {}, as the counters that nodes share are away. The answer ends \
             here; what came before this event is not the whole.",
            whose(&lacking.due.purse)
        );
        return Error::new(Code::BudgetExhausted, message);
    }
    let message = format!(
        "The budget of {} is spent. The answer ends here; what came before this event is not the whole.",
        whose(&lacking.due.purse)
    );
    Error::new(Code::BudgetExhausted, message)
}

fn unpriced(leg: &Leg) -> Error {
    let message = format!(
        "What '{}' costs at most is not known for this request, so that no budget can be kept. Give the model a price and \
         max_output in waypost.toml, leave out tools that its provider runs, or allow it with unpriced = \"allow\".",
        leg.name()
    );
    Error::new(Code::MaxCostUnreachable, message).at("model")
}
