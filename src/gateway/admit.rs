//! Admission: who calls, and whether that caller may call so often and so much at once.
//!
//! What headers decide is decided before the body is read; the rest once it is known for whom and how much is asked.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use crate::chat::{Code, Error};
use crate::store::counters::{Gated, Kind, Refused};

use super::charge::prompt_guess;
use super::credential::credential;
use super::keyring::{Holder, whose};
use super::pass::{Pass, Span};
use super::receive::Received;
use super::settle::Trip;
use super::shared::Shared;

/// Tokens that an answer is taken for where the caller sets no limit, until its usage is known.
const TYPICAL: u64 = 300;

/// When to try again where a place may be free at any moment.
const SOON: Duration = Duration::from_secs(1);

/// A call that is turned away.
#[derive(Clone, Debug)]
pub struct Turned {
    /// Why.
    pub error: Error,
    /// When it may be sent again; `None` where that would be of no use.
    pub after: Option<Duration>,
}

impl From<Error> for Turned {
    fn from(error: Error) -> Self {
        let again = error.code.row().retry;
        let after = again.then_some(SOON);
        Self { error, after }
    }
}

/// Asks who calls, and lets the key in.
///
/// # Errors
/// A key that is not valid, or one that calls too often or too much at once.
pub async fn enter(trip: &mut Trip, headers: &HeaderMap) -> Result<Option<Arc<Holder>>, Turned> {
    let shared = Arc::clone(trip.shared());
    let holder = holder(&shared, headers)?;
    if let Some(holder) = &holder {
        pass(trip, &shared, holder.gates()).await?;
    }
    Ok(holder)
}

/// Who calls, by the key that is shown; nobody in particular where none is asked for.
///
/// # Errors
/// A key that is not valid.
pub fn holder(shared: &Shared, headers: &HeaderMap) -> Result<Option<Arc<Holder>>, Error> {
    let credential = credential(headers)?;
    shared.keyring.caller(credential, shared.clock.unix())
}

/// Lets the tenant in, and takes the tokens that the call may use.
///
/// # Errors
/// A limit that is reached.
pub async fn go_on(trip: &mut Trip, received: &Received) -> Result<(), Turned> {
    let shared = Arc::clone(trip.shared());
    let tenant = received.hints.tenant.as_deref();
    if let Some(gate) = tenant.and_then(|name| shared.keyring.gate(name)) {
        pass(trip, &shared, std::slice::from_ref(gate)).await?;
    }
    let Some(pass) = &mut trip.pass else {
        return Ok(());
    };
    let request = &received.request;
    let answer = request.max_output.unwrap_or(TYPICAL);
    let count = prompt_guess(request.body()).saturating_add(answer.saturating_mul(request.n));
    let now = shared.clock.moment().as_millis();
    match pass.take(count, now).await {
        Ok(standing) => {
            trip.told.tokens(standing);
            Ok(())
        }
        Err(refused) => {
            trip.told.tokens(refused.standing);
            Err(turned(&refused, count))
        }
    }
}

async fn pass(trip: &mut Trip, shared: &Shared, gates: &[Gated]) -> Result<(), Turned> {
    if gates.is_empty() {
        return Ok(());
    }
    let now = shared.clock.moment().as_millis();
    let entered = shared.counters.enter(gates, now).await;
    let entered = entered.map_err(|refused| {
        if refused.kind == Kind::Requests {
            trip.told.requests(refused.standing);
        }
        turned(&refused, 1)
    })?;
    trip.told.requests(entered.requests);
    trip.told.tokens(entered.tokens);
    let begin = || Pass::new(Arc::clone(&shared.counters), shared.clock);
    trip.pass.get_or_insert_with(begin).entered(gates);
    Ok(())
}

/// A limit that is reached, in words.
fn turned(refused: &Refused, count: u64) -> Turned {
    let (whose, limit) = (whose(&refused.gate), refused.limit);
    if refused.kind == Kind::Away {
        let message = format!(
            "Nothing was sent: nobody can say how the limits of {whose} stand, as the counters that nodes share are away. \
             Try again in a moment."
        );
        return Turned {
            error: Error::new(Code::LedgerUnavailable, message),
            after: refused.after,
        };
    }
    let (message, after) = match (refused.kind, refused.after) {
        (Kind::AtOnce | Kind::Away, _) => {
            let message = format!(
                "The limit of {whose} is {limit} calls at once, and all are under way. Nothing was sent; try again once \
                 one of them has ended."
            );
            (message, Some(SOON))
        }
        (Kind::Requests, after) => {
            let message = format!(
                "The limit of {whose} is {limit} requests a minute. Nothing was sent; try again in {}.",
                Span(after.unwrap_or(SOON))
            );
            (message, Some(after.unwrap_or(SOON)))
        }
        (Kind::Tokens, Some(after)) => {
            let message = format!(
                "The limit of {whose} is {limit} tokens a minute, and this call may use {count}. Nothing was sent; try \
                 again in {}.",
                Span(after)
            );
            (message, Some(after))
        }
        (Kind::Tokens, None) => {
            let message = format!(
                "The limit of {whose} is {limit} tokens a minute, and this call alone may use {count}. Shorten the \
                 prompt, or lower max_completion_tokens."
            );
            (message, None)
        }
    };
    Turned {
        error: Error::new(Code::RateLimitExceeded, message),
        after,
    }
}
