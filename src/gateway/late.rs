//! A stream whose head leaves before anybody has answered, so that balancers do not cut a thinker.
//!
//! The attempts go on inside the body, unseen; comments keep the connection warm until one of them has an event.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::Sleep;

use crate::chat::{Error, plain};
use crate::net::Aborted;

use super::rescue::body::RescueBody;
use super::speech::Speech;

/// The attempts of a call: they end in a relay, or in the error that the client gets.
pub type Work = Pin<Box<dyn Future<Output = Result<RescueBody, Error>> + Send>>;

/// A body that waits for its attempts.
pub struct Late {
    state: State,
    beat: Duration,
    tick: Pin<Box<Sleep>>,
    speech: Speech,
}

enum State {
    Waiting(Work),
    Relaying(Box<RescueBody>),
    Parting,
    Over,
}

/// How long an error event is given to leave before the connection is cut.
const PARTING: Duration = Duration::from_millis(20);

/// Longer than any attempt takes.
const NEVER: Duration = Duration::from_hours(24);

impl Late {
    /// A body that sends a comment at once, which takes the head along, and then every `beat` until the attempts end;
    /// a `beat` of zero sends no more.
    #[must_use]
    pub fn new(work: Work, beat: Duration, speech: Speech) -> Self {
        let tick = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self {
            state: State::Waiting(work),
            beat,
            tick,
            speech,
        }
    }

    fn arm(&mut self, after: Duration) {
        self.tick
            .as_mut()
            .reset(tokio::time::Instant::now() + after);
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Late").finish_non_exhaustive()
    }
}

impl HttpBody for Late {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let late = self.get_mut();
        loop {
            match &mut late.state {
                State::Waiting(work) => match work.as_mut().poll(cx) {
                    Poll::Ready(Ok(relay)) => late.state = State::Relaying(Box::new(relay)),
                    Poll::Ready(Err(error)) => {
                        late.state = State::Parting;
                        late.arm(PARTING);
                        return Poll::Ready(Some(Ok(Frame::data(event(&error, late.speech)))));
                    }
                    Poll::Pending => {
                        std::task::ready!(late.tick.as_mut().poll(cx));
                        late.arm(if late.beat.is_zero() {
                            NEVER
                        } else {
                            late.beat
                        });
                        return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(
                            b": ping\n\n",
                        )))));
                    }
                },
                State::Relaying(relay) => return Pin::new(&mut **relay).poll_frame(cx),
                State::Parting => {
                    std::task::ready!(late.tick.as_mut().poll(cx));
                    late.state = State::Over;
                    return Poll::Ready(Some(Err(Aborted)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }
}

fn event(error: &Error, speech: Speech) -> Bytes {
    let mut out = match speech {
        Speech::OpenAi(_) => b"data: ".to_vec(),
        Speech::Plain(_) => plain::ERROR.to_vec(),
    };
    error.write(&mut out);
    out.extend_from_slice(b"\n\n");
    out.into()
}
