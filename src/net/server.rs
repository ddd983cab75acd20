//! The listener: accepts connections, speaks HTTP/1.1 on them, drains them when told to.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::body::Body;
use super::guard::{Busy, Guarded};

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest request head, in bytes. At least 8 KiB.
    pub head: usize,
    /// How long a head may take once it has begun.
    pub head_timeout: Duration,
    /// How long a connection may be idle.
    pub keep_alive: Duration,
    /// How long a client may take nothing of what is written.
    pub write_stall: Duration,
    /// How many connections may be open.
    pub connections: usize,
}

/// How long the listener waits before it tries again when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers one request.
pub trait Service: Send + Sync + 'static {
    /// The answer.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// Serves until `stop` becomes true, then waits up to `drain` for what is still open.
///
/// Dropping the future drops the listener and leaves open connections to the runtime.
pub async fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(tokio::sync::Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        // Over the limit the newest is turned away: those that are served keep their place.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let busy = Busy::default();
        let guarded = Guarded::new(
            accepted,
            busy.clone(),
            limits.head_timeout,
            limits.write_stall,
        );
        let service = Arc::clone(&service);
        let connection = builder(&limits).serve_connection(
            TokioIo::new(guarded),
            service_fn(move |request| answered(Arc::clone(&service), busy.clone(), request)),
        );
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("drain limit reached; open streams are cut");
    }
}

async fn answered<S: Service>(
    service: Arc<S>,
    busy: Busy,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    busy.begin();
    // Boxed, so that a connection does not keep room for the state of answering while a stream flows.
    let response = Box::pin(service.answer(request)).await;
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
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
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
