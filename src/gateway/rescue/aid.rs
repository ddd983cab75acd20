//! The targets that are left, tried for an answer that carries another on.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use super::relief::Carried;
use crate::gateway::attempt::Begun;
use crate::gateway::course::{Course, Leg};
use crate::gateway::receive::Received;
use crate::gateway::settle::Trip;
use crate::gateway::tries::{NobodyLeft, tries};

/// What it takes to help: the request, and whom else it may be sent to.
#[derive(Debug)]
pub struct Aid {
    /// The request.
    pub received: Arc<Received>,
    /// The course that it is on.
    pub course: Course,
    /// Targets of it that are behind.
    pub spent: Vec<Leg>,
    /// The request as it came, where another is asked with.
    pub origin: Option<Arc<Received>>,
}

impl Aid {
    /// Nobody was asked to help yet.
    #[must_use]
    pub const fn new(received: Arc<Received>, course: Course) -> Self {
        Self {
            received,
            course,
            spent: Vec::new(),
            origin: None,
        }
    }

    /// Nobody of those who are left is to be asked.
    pub(super) fn passes_over(&mut self) {
        self.spent.append(&mut self.course.legs);
    }
}

/// The targets that are left, at work.
pub(super) type Work =
    Pin<Box<dyn Future<Output = (Box<Trip>, Box<Aid>, Result<Begun, NobodyLeft>)> + Send>>;

/// A trip that comes back where the work that has it is dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Lent(Arc<Mutex<Option<Held>>>);

/// What work holds of a call.
type Held = (Box<Trip>, Box<Aid>);

impl Lent {
    pub(super) fn back(&self) -> Option<Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Holds what was lent, and gives it back however it ends.
struct Loan {
    held: Option<Held>,
    to: Lent,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let mut place = self.to.0.lock().unwrap_or_else(PoisonError::into_inner);
            *place = Some(held);
        }
    }
}

/// Tries the targets that are left for an answer that carries on what was shown.
pub(super) fn work(mut trip: Box<Trip>, mut aid: Box<Aid>, carried: Carried, lent: &Lent) -> Work {
    let rest = rest(&mut aid, trip.relief.next);
    trip.relief.next = 0;
    trip.relief.carried = Some(Box::new(carried));
    let now = trip.shared().clock.now();
    // The caller's deadline is for its first event: once that was there, help has as long as any call.
    let usual = now + trip.shared().settings.timeout;
    let deadline = trip.relief.until.unwrap_or(usual);
    let load = Arc::clone(&trip.shared().load);
    // What is lent comes back even where this is dropped before it was ever looked at.
    let mut loan = Loan {
        held: Some((trip, aid)),
        to: lent.clone(),
    };
    Box::pin(async move {
        let begun = match &mut loan.held {
            Some((trip, aid)) if rest => {
                let tried = Box::pin(tries(trip, &aid.received, &aid.course, deadline));
                match load.unless_cut(tried).await {
                    Some(tried) => tried,
                    None => Err(NobodyLeft::default()),
                }
            }
            Some(_) | None => Err(NobodyLeft::default()),
        };
        match loan.held.take() {
            Some((trip, aid)) => (trip, aid, begun),
            None => std::future::pending().await,
        }
    })
}

/// Leaves on a course those behind a target. Says whether anybody is left.
fn rest(aid: &mut Aid, next: usize) -> bool {
    let legs = &mut aid.course.legs;
    let rest = legs.split_off(next.min(legs.len()));
    let behind = std::mem::replace(legs, rest);
    aid.spent.extend(behind);
    !aid.course.legs.is_empty()
}
