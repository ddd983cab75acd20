//! A call with a key, from its turn to its answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response};
use http_body::{Body as HttpBody, Frame};
use tokio::time::Sleep;

use crate::chat::{Code, Error};
use crate::gateway::answer;
use crate::gateway::ending::Outcome;
use crate::gateway::settle::Trip;
use crate::gateway::shared::Shared;
use crate::net::{Aborted, Body};
use crate::store::{Away, Hash, Marked};

use super::desk::Turn;
use super::key::{HEADER, Id, MayBeBilled, Repeat};
use super::log::{End, Length, Log, Read, Reader};

/// Says that an answer is that of an earlier call: `joined` while that was running, `replayed` after it.
const REPEATED: HeaderName = HeaderName::from_static("x-waypost-idempotent");

/// The id of that call, whose receipt it is.
const OF: HeaderName = HeaderName::from_static("x-waypost-idempotent-of");

/// What is said where the first call's answer is gone.
const LOST: &str = "A call with this key was made, and its answer is no longer kept. It was not sent again; send it with \
                    a new key if it shall be.";

/// What is said where the first call was another.
const REUSED: &str =
    "This key was used for another request. Send each request with a key of its own.";

/// How long the last words of an answer that broke off are given.
const PARTING: Duration = Duration::from_millis(20);

/// Answers a call that bears a key: runs it where it is the first, and else tells what the first one is told.
pub async fn serve<F, R>(mut trip: Box<Trip>, repeat: Repeat, run: R) -> Response<Body>
where
    R: FnOnce(Box<Trip>) -> F + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let shared = Arc::clone(trip.shared());
    let turn = shared.desk.take(&repeat, &trip.id, shared.clock.unix());
    match turn {
        Turn::First(log) => {
            let reader = log.reader();
            let pen = Pen {
                shared: Arc::clone(&shared),
                id: repeat.id,
                mark: repeat.mark,
                log,
                done: false,
            };
            let (book, at) = (Arc::clone(&shared), trip.at);
            shared.desk.run(async move {
                let marked = book.ledger.mark(repeat.mark, repeat.print, at).await;
                match marked {
                    Ok(Marked::New) => pen.write(run(trip).await).await,
                    Ok(Marked::Same) => {
                        pen.refuse(refuse(trip, Code::IdempotencyResultLost, LOST))
                            .await;
                    }
                    Ok(Marked::Other) => {
                        pen.refuse(refuse(trip, Code::IdempotencyKeyReused, REUSED))
                            .await;
                    }
                    Err(away) => pen.refuse(unmarked(trip, away)).await,
                }
            });
            match reader {
                Some(reader) => respond(reader, None).await,
                None => answer::refusal(&Error::new(Code::Internal, "An answer began overlong.")),
            }
        }
        Turn::Again(log) => {
            let how = log.ended().map_or("joined", |_| "replayed");
            let Some(reader) = log.reader() else {
                return refuse(trip, Code::IdempotencyResultLost, LOST);
            };
            trip.outcome = Outcome::Repeated;
            let of = HeaderValue::from_str(reader.call()).ok();
            let mut response = respond(reader, Some(trip)).await;
            let headers = response.headers_mut();
            headers.insert(REPEATED, HeaderValue::from_static(how));
            headers.extend(of.map(|of| (OF, of)));
            response
        }
        Turn::Other => refuse(trip, Code::IdempotencyKeyReused, REUSED),
        Turn::Lost => refuse(trip, Code::IdempotencyResultLost, LOST),
    }
}

fn refuse(mut trip: Box<Trip>, code: Code, message: &str) -> Response<Body> {
    trip.outcome = Outcome::Failed(code.row().code);
    answer::refusal(&Error::new(code, message).at(HEADER))
}

/// The ledger does not take the key: nothing is sent, as a repeat could not be told from a first call.
fn unmarked(trip: Box<Trip>, away: Away) -> Response<Body> {
    let message = format!(
        "Nothing was sent, as the ledger cannot note the key: {away}. Try again in a moment."
    );
    refuse(trip, Code::LedgerUnavailable, &message)
}

/// The answer that a log tells; `trip` is held until it is told.
async fn respond(mut reader: Reader, trip: Option<Box<Trip>>) -> Response<Body> {
    let (status, headers) = poll_fn(|cx| reader.poll_head(cx)).await;
    let body = if is_stream(&headers) {
        Body::stream(Follow {
            reader,
            parting: None,
            _trip: trip,
        })
    } else {
        whole(&mut reader).await
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

async fn whole(reader: &mut Reader) -> Body {
    let mut out = Vec::new();
    while let Read::Piece(piece) = poll_fn(|cx| reader.poll_read(cx)).await {
        out.extend_from_slice(&piece);
    }
    Body::from(out)
}

/// A body that follows a log.
struct Follow {
    reader: Reader,
    /// What gives the last words of an answer that broke off the time to leave before the connection is cut.
    parting: Option<Pin<Box<Sleep>>>,
    /// The place of the call in the house.
    _trip: Option<Box<Trip>>,
}

impl HttpBody for Follow {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let follow = self.get_mut();
        match std::task::ready!(follow.reader.poll_read(cx)) {
            Read::Piece(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            Read::End(End::Whole) => Poll::Ready(None),
            Read::End(End::Aborted) => {
                let sleep = || Box::pin(tokio::time::sleep(PARTING));
                std::task::ready!(follow.parting.get_or_insert_with(sleep).as_mut().poll(cx));
                Poll::Ready(Some(Err(Aborted)))
            }
        }
    }
}

/// Writes the answer of a first call, and says at the desk what became of it. Dropped before, the call was given up in
/// its midst, and nobody knows what it did.
struct Pen {
    shared: Arc<Shared>,
    id: Id,
    mark: Hash,
    log: Arc<Log>,
    done: bool,
}

impl Pen {
    async fn write(self, response: Response<Body>) {
        let billed = response.extensions().get::<MayBeBilled>().is_some();
        let stays = response.status().is_success() || billed;
        if !stays {
            // Nothing was done: whoever comes after these who wait may try again.
            self.shared.ledger.unmark(self.mark).await;
        }
        self.tell(response, stays).await;
    }

    /// Writes an answer that says why nothing was begun.
    async fn refuse(self, response: Response<Body>) {
        self.tell(response, false).await;
    }

    async fn tell(mut self, response: Response<Body>, stays: bool) {
        let (head, body) = response.into_parts();
        if !stays {
            self.shared.desk.forget(&self.id, &self.log);
        }
        self.log.head(head.status, head.headers);
        let end = self.pieces(std::pin::pin!(body)).await;
        self.log.end(end);
        self.done = true;
        if stays {
            self.shared.desk.keep(&self.id, &self.log);
        }
    }

    async fn pieces(&self, mut body: Pin<&mut Body>) -> End {
        loop {
            if poll_fn(|cx| self.log.poll_room(cx)).await.is_err() {
                return End::Aborted;
            }
            let frame = poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            let piece = match frame {
                None => return End::Whole,
                Some(Err(Aborted)) => return End::Aborted,
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if self.log.piece(piece) == Length::Over {
                self.shared.desk.lose(&self.id, &self.log);
            }
        }
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        if !self.done {
            self.shared.desk.lose(&self.id, &self.log);
            self.log.end(End::Aborted);
        }
    }
}
