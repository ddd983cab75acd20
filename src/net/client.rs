//! The pooled client: sends one request to one address and gives back the head and a body to poll.
//!
//! It never follows redirects, never reads proxy variables, and repeats a request only where a pooled connection
//! turned out to be closed before a byte of it was written (hyper-util's `retry_canceled_requests`).

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::coding::Coding;
use super::egress::{Denied, Egress, Judge};
use super::tap::{End, Sent, Tap, Taped};
use super::tls::{self, Trust};

type Pool = hyper_util::client::legacy::Client<tls::Timely, Full<Bytes>>;

/// How long a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer a connection holds: the longest head, and what is read ahead of a client that reads slowly.
const BUFFER: usize = 64 << 10;
/// After how long the next address is tried beside the first.
const HAPPY_EYEBALLS: Duration = Duration::from_millis(250);
/// How long an unused connection is kept: below the 60 s after which balancers close theirs.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// A client that all calls share.
#[derive(Clone)]
pub struct Client {
    pool: Pool,
    /// Connections to where credentials come from: machines keep them where no provider is.
    errands: Pool,
    tap: Option<Arc<dyn Tap>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("tap", &self.tap)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// No connection could be made.
    Connect,
    /// No connection could be made in time.
    ConnectTimeout,
    /// This machine has nothing left to connect with: no port, no descriptor.
    Spent,
    /// No trusted connection could be made.
    Tls,
    /// The name leads where no connection may go.
    Denied,
    /// The connection closed before an answer.
    Closed,
    /// What came was not HTTP.
    Protocol,
}

impl Client {
    /// A client that may connect to everybody; `tap` is told of every exchange.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(tap: Option<Arc<dyn Tap>>) -> Result<Self, rustls::Error> {
        Self::careful(tap, &Trust::Usual, Arc::default())
    }

    /// A client that trusts these authorities, and connects to where it may.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn careful(
        tap: Option<Arc<dyn Tap>>,
        trust: &Trust,
        egress: Arc<Egress>,
    ) -> Result<Self, rustls::Error> {
        let tls = tls::towards_providers(trust)?;
        Ok(Self {
            errands: Self::pool(Arc::default(), tls.clone()),
            pool: Self::pool(egress, tls),
            tap,
        })
    }

    fn pool(egress: Arc<Egress>, tls: ClientConfig) -> Pool {
        let plain = reaching(Judge::new(egress));
        hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http1_max_headers(200)
            .http1_max_buf_size(BUFFER)
            .build(tls::connector(plain, tls))
    }

    /// The client that credentials are fetched with: nobody is told of its exchanges, and it may connect to where
    /// machines keep them.
    #[must_use]
    pub fn untapped(&self) -> Self {
        Self {
            pool: self.errands.clone(),
            errands: self.errands.clone(),
            tap: None,
        }
    }

    /// Sends a request to a provider and waits for the answer's head.
    ///
    /// # Errors
    /// Why there is no head.
    pub async fn send(&self, provider: &str, request: Request<Bytes>) -> Result<Upstream, Wire> {
        let taped = self
            .tap
            .as_ref()
            .map(|tap| open(&**tap, provider, &request));
        match self.pool.request(request.map(Full::new)).await {
            Ok(response) => Ok(Upstream::new(response, taped)),
            Err(error) => {
                if let Some(mut taped) = taped {
                    taped.end(End::Broken);
                }
                Err(classify(&error))
            }
        }
    }
}

/// How names and addresses are gone through: one address after the other, those of the other kind beside them, all of
/// them within the time of one connection.
fn reaching<R>(names: R) -> HttpConnector<R> {
    let mut plain = HttpConnector::new_with_resolver(names);
    plain.set_nodelay(true);
    plain.enforce_http(false);
    plain.set_connect_timeout(Some(CONNECT_TIMEOUT));
    plain.set_happy_eyeballs_timeout(Some(HAPPY_EYEBALLS));
    plain
}

fn open(tap: &dyn Tap, provider: &str, request: &Request<Bytes>) -> Box<dyn Taped> {
    tap.open(&Sent {
        provider,
        method: request.method().as_str(),
        path: request
            .uri()
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str),
        headers: request.headers(),
        body: request.body(),
    })
}

fn classify(error: &hyper_util::client::legacy::Error) -> Wire {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            let closed = hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed();
            return if closed || !hyper.is_parse() {
                Wire::Closed
            } else {
                Wire::Protocol
            };
        }
        if let Some(wire) = cause.downcast_ref::<io::Error>().and_then(within) {
            return wire;
        }
        if cause.is::<rustls::Error>() {
            return Wire::Tls;
        }
        source = cause.source();
    }
    if error.is_connect() {
        Wire::Connect
    } else {
        Wire::Closed
    }
}

/// Errors that say that this process, or this machine, has no descriptor left.
const NO_DESCRIPTOR: [i32; 2] = [23, 24];

fn of_system(error: &io::Error) -> Option<Wire> {
    let code = error.raw_os_error();
    match error.kind() {
        io::ErrorKind::TimedOut => Some(Wire::ConnectTimeout),
        io::ErrorKind::AddrNotAvailable => Some(Wire::Spent),
        _ if code.is_some_and(|code| NO_DESCRIPTOR.contains(&code)) => Some(Wire::Spent),
        _ => None,
    }
}

/// What an error of the system says, whatever it is wrapped in: such errors hide what they hold from `source`.
fn within(error: &io::Error) -> Option<Wire> {
    let Some(inner) = error.get_ref() else {
        return of_system(error);
    };
    if inner.is::<rustls::Error>() {
        return Some(Wire::Tls);
    }
    if inner.is::<Denied>() {
        return Some(Wire::Denied);
    }
    if let Some(inner) = inner.downcast_ref::<io::Error>() {
        return within(inner);
    }
    (error.kind() == io::ErrorKind::TimedOut).then_some(Wire::ConnectTimeout)
}

/// A provider's answer: its head, and its body to poll.
pub struct Upstream {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    coding: Option<Box<Coding>>,
    taped: Option<Box<dyn Taped>>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Upstream")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Upstream {
    fn new(response: Response<Incoming>, mut taped: Option<Box<dyn Taped>>) -> Self {
        let (head, body) = response.into_parts();
        let coding = Coding::of(&head.headers).map(Box::new);
        if let Some(taped) = &mut taped {
            // A tap is told what the body says once it is decoded, so that the head must not speak of a coding.
            let mut headers = head.headers.clone();
            if coding.is_some() {
                headers.remove(http::header::CONTENT_ENCODING);
            }
            taped.head(head.status.as_u16(), &headers);
        }
        Self {
            status: head.status,
            coding,
            headers: head.headers,
            body,
            taped,
        }
    }

    /// The next bytes of the body: `None` at its proper end.
    pub fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Wire>>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => {
                    let bytes = match self.decoded(bytes) {
                        Ok(bytes) => bytes,
                        Err(wire) => return Poll::Ready(Some(Err(wire))),
                    };
                    if bytes.is_empty() {
                        continue;
                    }
                    if let Some(taped) = &mut self.taped {
                        taped.data(&bytes);
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                // Trailers: nothing of a chat answer is in them.
                Some(Ok(Err(_))) => {}
                Some(Err(_)) => {
                    self.tell(End::Broken);
                    return Poll::Ready(Some(Err(Wire::Closed)));
                }
                None => {
                    self.tell(End::Clean);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn decoded(&mut self, bytes: Bytes) -> Result<Bytes, Wire> {
        let Some(coding) = &mut self.coding else {
            return Ok(bytes);
        };
        coding.decode(&bytes).map_err(|_| Wire::Protocol)
    }

    /// The next bytes of the body: `None` at its proper end.
    pub async fn bytes(&mut self) -> Option<Result<Bytes, Wire>> {
        std::future::poll_fn(|cx| self.poll_bytes(cx)).await
    }

    /// Says that all that matters has been read, though the provider has not closed the body yet.
    pub fn complete(&mut self) {
        self.tell(End::Clean);
    }

    fn tell(&mut self, end: End) {
        if let Some(mut taped) = self.taped.take() {
            taped.end(end);
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
