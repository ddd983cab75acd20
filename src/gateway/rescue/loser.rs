//! Attempts that are let go while their provider goes on with, and bills, what nobody hears any more: each is heard to its
//! end beside everything, within bounds, so that its row says what it cost.
//!
//! The call does not wait for that: it is told, and billed, with an estimate. The row of the attempt, and the budgets that
//! it is paid from, get what it came to.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::account::Money;
use crate::chat::Code;

use super::aside::Attempted;
use super::silent::{Dead, Silent};
use crate::gateway::charge::{charge, weighed};
use crate::gateway::drain::{self, LONGEST};
use crate::gateway::ending::{Ended, Heard, Oddness, Outcome};
use crate::gateway::settle::Trip;

impl Trip {
    /// Lets the attempt that is out go, and has it heard to its end where that is of use. Gives it back where it is not.
    pub(super) fn lets_go(&mut self, silent: Silent, code: Code) -> Option<Silent> {
        let runtime = Handle::try_current()
            .ok()
            .filter(|_| drain::is_billed_on(self));
        let Some((place, runtime)) = self.shared().drains.place().zip(runtime) else {
            return Some(silent);
        };
        if let Some(watch) = self.watch.take() {
            watch.broke(code);
        }
        let heard = silent.heard().unwrap_or_else(|| self.unheard());
        let paid = self.guess(heard);
        self.relief.paid = self.relief.paid.plus(paid);
        self.books.spent = self.books.spent.plus(paid);
        self.route.unsure = true;
        let aside = self.set_aside();
        let drains = Arc::clone(&self.shared().drains);
        let work = hear_out(silent, (self.beside(code), aside), place);
        drains.begin(work, &runtime);
        None
    }

    /// What an attempt is likely to cost of which so much was heard.
    fn guess(&self, heard: Heard) -> Money {
        let (pilot, billed) = (&self.shared().pilot, self.billed());
        let mut heard = weighed(pilot, &billed, heard);
        heard.odd = Oddness::Partial(Ended::Broke);
        let money = charge(pilot, &billed, &heard).map(|charge| charge.money);
        let held = self.hold.as_ref().and_then(|hold| hold.most());
        let money = money.unwrap_or(Money::ZERO);
        held.map_or(money, |held| money.min(held))
    }

    /// A record for one attempt of the call, which outlives it. It is no call of its own.
    fn beside(&self, code: Code) -> Box<Self> {
        let shared = Arc::clone(self.shared());
        let mut trip = Box::new(Self::begin(shared, self.speech, self.books.beside()));
        (trip.call, trip.at, trip.started) = (self.call, self.at, self.started);
        trip.id.clone_from(&self.id);
        trip.labels.copy_of = Some(self.id.clone());
        trip.streams = self.streams;
        trip.sent = self.sent;
        trip.reason = self.reason;
        trip.route.strategy.clone_from(&self.route.strategy);
        trip.route.input = self.route.input;
        trip.route.tier.clone_from(&self.route.tier);
        trip.route.beside = self.route.beside;
        trip.outcome = Outcome::Failed(code.row().code);
        trip
    }
}

/// Hears an attempt to its end, or as far as may be, and settles it.
async fn hear_out(
    mut silent: Silent,
    (mut trip, mut aside): (Box<Trip>, Attempted),
    _place: OwnedSemaphorePermit,
) {
    let shared = Arc::clone(trip.shared());
    let heard = async {
        let spoken = std::future::poll_fn(|cx| silent.poll(cx, (&mut aside, &shared))).await;
        let died = spoken.err();
        let feed = match died {
            None => silent.feed().map(|(feed, _)| feed),
            Some(_) => None,
        };
        match feed {
            Some(mut feed) => {
                let whole = drain::to_the_end(&mut feed).await;
                Ok((feed.heard(), whole))
            }
            None => Err(died),
        }
    };
    let heard = tokio::time::timeout(LONGEST, shared.load.unless_cut(heard)).await;
    trip.take_up(aside);
    match heard {
        Ok(Some(Ok((heard, true)))) => trip.heard_out(heard),
        Ok(Some(Ok((heard, false)))) => trip.settle_part(heard, Ended::Broke),
        Ok(Some(Err(Some(Dead::Lost(lost))))) => trip.lost(&lost),
        Ok(Some(Err(_)) | None) | Err(_) => {
            let heard = trip.unheard();
            trip.settle_part(heard, Ended::Broke);
        }
    }
}
