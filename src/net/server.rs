//! The listener: accepts connections, speaks HTTP/1.1 on them, drains them when told to.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::body::Body;
use super::door::Door;
use super::entrance::{Entrance, Limits, Stage, Terms};
use super::guard::{Busy, Guarded};

/// How long the listener waits before it tries again when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often that is told.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long connections that wait for a request are kept once none are accepted any more: a request that was on its
/// way is told to come again, rather than finding its connection closed.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Answers one request.
pub trait Service: Send + Sync + 'static {
    /// The answer to whoever asks from an address.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        from: IpAddr,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves until the entrance leaves its first stage; open connections go on through the later ones.
pub async fn serve<S: Service>(listener: TcpListener, service: Arc<S>, entrance: Arc<Entrance>) {
    let mut stage = entrance.stage();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            _ = stage.wait_for(|stage| *stage > Stage::Serving) => return,
        };
        let terms = entrance.terms();
        // Over the limit the newest is turned away: those that are served keep their place.
        let Some(place) = entrance.place(terms.limits.connections) else {
            continue;
        };
        let (service, stage) = (Arc::clone(&service), entrance.stage());
        entrance.run(async move {
            let _place = place;
            connected(accepted, service, terms, stage).await;
        });
    }
}

/// A new connection, with TLS or without.
async fn connected<S: Service>(
    (stream, from): (TcpStream, IpAddr),
    service: Arc<S>,
    terms: Arc<Terms>,
    stage: watch::Receiver<Stage>,
) {
    let limits = terms.limits;
    let door = match terms.tls.clone() {
        None => Door::Plain(stream),
        Some(tls) => match timeout(HANDSHAKE, TlsAcceptor::from(tls).accept(stream)).await {
            Ok(Ok(stream)) => Door::Tls(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no TLS handshake");
                return;
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                return;
            }
        },
    };
    drop(terms);
    speak((door, from), service, limits, stage).await;
}

/// Speaks HTTP/1.1 on a connection to its end.
async fn speak<S: Service>(
    (door, from): (Door, IpAddr),
    service: Arc<S>,
    limits: Limits,
    mut stage: watch::Receiver<Stage>,
) {
    let (busy, asked) = (Busy::default(), AtomicBool::new(false));
    let guarded = Guarded::new(door, busy.clone(), limits.head_timeout, limits.write_stall);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        answered(Arc::clone(&service), busy.clone(), (request, from))
    });
    let connection = builder(&limits).serve_connection(TokioIo::new(guarded), service);
    let mut connection = std::pin::pin!(connection);
    let mut close_at = None;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            now = later(&mut stage) => match now {
                Stage::Serving => {}
                Stage::Draining => close_at = Some(Instant::now() + LAST_CALL),
                // The connection is polled again, and with it the body that is to end.
                Stage::Cutting => connection.as_mut().graceful_shutdown(),
                Stage::Over => return,
            },
            () = until(close_at) => {
                close_at = None;
                // One that never asked anything would be waited for.
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The next stage; whoever would tell it being gone, everything is over.
async fn later(stage: &mut watch::Receiver<Stage>) -> Stage {
    match stage.changed().await {
        Ok(()) => *stage.borrow_and_update(),
        Err(_) => Stage::Over,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn answered<S: Service>(
    service: Arc<S>,
    busy: Busy,
    (request, from): (Request<Incoming>, IpAddr),
) -> Result<Response<Body>, Infallible> {
    busy.begin();
    // Boxed, so that a connection does not keep room for the state of answering while a stream flows.
    let response = Box::pin(service.answer(request, from)).await;
    busy.end();
    Ok(response)
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.keep_alive)
        .max_buf_size(limits.head.max(8192))
        .max_headers(100)
        .pipeline_flush(false);
    builder
}

/// The next connection; errors of the system are waited out, as they pass.
async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    let mut told: Option<Instant> = None;
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let _ = stream.set_nodelay(true);
                return (stream, from.ip());
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                let now = Instant::now();
                if told.is_none_or(|told| now.duration_since(told) >= TELL_EVERY) {
                    tracing::warn!(%error, "cannot accept");
                    told = Some(now);
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
