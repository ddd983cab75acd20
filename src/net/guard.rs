//! A connection that gives up on a peer who takes or sends too slowly.
//!
//! hyper has no write timeout, so that a client that stops reading would hold its stream, and the provider's, for
//! ever. And its timeout for heads counts the idle time before them too, so that it can only be the keep-alive limit;
//! the limit for a head that has begun is kept here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Whether a request of a connection is being answered: what is read meanwhile is its body, not a head.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<AtomicU8>);

/// No request has come since the last look.
const WAITING: u8 = 0;
/// A request is being answered.
const ANSWERING: u8 = 1;
/// A request was answered since the last look, perhaps before anything more was read.
const ANSWERED: u8 = 2;

impl Busy {
    /// A request begins to be answered.
    pub fn begin(&self) {
        self.0.store(ANSWERING, Ordering::Relaxed);
    }

    /// It is answered: what comes next is a head.
    pub fn end(&self) {
        self.0.store(ANSWERED, Ordering::Relaxed);
    }

    /// What it is now; an answer is told once.
    fn look(&self) -> u8 {
        let now = self.0.load(Ordering::Relaxed);
        if now == ANSWERED {
            self.0.store(WAITING, Ordering::Relaxed);
        }
        now
    }
}

/// A stream whose heads must come and whose writes must go.
#[derive(Debug)]
pub struct Guarded<S> {
    stream: S,
    busy: Busy,
    head_limit: Duration,
    write_limit: Duration,
    in_head: bool,
    head: Option<Pin<Box<Sleep>>>,
    write: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    /// A stream that fails when a head takes longer than `head_limit`, or a write makes no progress for
    /// `write_limit`.
    pub const fn new(stream: S, busy: Busy, head_limit: Duration, write_limit: Duration) -> Self {
        Self {
            stream,
            busy,
            head_limit,
            write_limit,
            in_head: false,
            head: None,
            write: None,
        }
    }

    /// Keeps the time of a head: it begins with its first byte and ends when the request is answered.
    fn watch_read(
        &mut self,
        cx: &mut Context<'_>,
        came: usize,
        poll: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        let now = self.busy.look();
        if now != WAITING {
            self.in_head = false;
            self.head = None;
        }
        if now == ANSWERING {
            return poll;
        }
        if poll.is_ready() {
            self.in_head |= came > 0;
            return poll;
        }
        if self.in_head && expired(&mut self.head, self.head_limit, cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.write = None;
        } else if expired(&mut self.write, self.write_limit, cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        poll
    }
}

/// Whether a timer, set now if it was not yet, has run out.
fn expired(timer: &mut Option<Pin<Box<Sleep>>>, limit: Duration, cx: &mut Context<'_>) -> bool {
    timer
        .get_or_insert_with(|| Box::pin(sleep(limit)))
        .as_mut()
        .poll(cx)
        .is_ready()
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        let came = buf.filled().len() - before;
        self.watch_read(cx, came, poll)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LIMIT: Duration = Duration::from_millis(30);

    #[tokio::test]
    async fn a_head_that_has_begun_must_end_and_an_idle_connection_may_wait() {
        let (mut client, server) = tokio::io::duplex(64);
        let busy = Busy::default();
        let mut guarded = Guarded::new(server, busy.clone(), LIMIT, LIMIT);
        let mut buffer = [0; 8];
        let idle = tokio::time::timeout(LIMIT * 2, guarded.read(&mut buffer)).await;
        assert!(idle.is_err(), "nothing has begun");
        client.write_all(b"POST").await.unwrap();
        assert_eq!(guarded.read(&mut buffer).await.unwrap(), 4);
        let late = guarded.read(&mut buffer).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        busy.begin();
        let body = tokio::time::timeout(LIMIT * 2, guarded.read(&mut buffer)).await;
        assert!(body.is_err(), "a body has limits of its own");
    }

    /// A short request is read in one piece and answered before anything more is read.
    #[tokio::test]
    async fn a_head_ends_with_its_answer_even_if_nothing_was_read_meanwhile() {
        let (mut client, server) = tokio::io::duplex(64);
        let busy = Busy::default();
        let mut guarded = Guarded::new(server, busy.clone(), LIMIT, LIMIT);
        client.write_all(b"GET /").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(guarded.read(&mut buffer).await.unwrap(), 5);
        busy.begin();
        busy.end();
        let idle = tokio::time::timeout(LIMIT * 2, guarded.read(&mut buffer)).await;
        assert!(idle.is_err(), "the connection waits for its next request");
        client.write_all(b"GET").await.unwrap();
        assert_eq!(guarded.read(&mut buffer).await.unwrap(), 3);
        let late = guarded.read(&mut buffer).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_write_must_make_progress() {
        let (client, server) = tokio::io::duplex(4);
        let mut guarded = Guarded::new(server, Busy::default(), LIMIT, LIMIT);
        let stalled = guarded.write_all(b"more than fits").await.unwrap_err();
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }
}
