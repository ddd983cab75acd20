//! The way of spans to their collector: a bounded queue that never blocks, and one task that empties it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Uri};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::chat::Tokens;
use crate::gateway::figures::Figures;
use crate::net::Client;

use super::otlp;
use super::span::{Open, Span};

/// Where spans go.
#[derive(Clone, Debug)]
pub struct To {
    /// The collector's address for traces.
    pub uri: Uri,
    /// What it wants on each request.
    pub headers: HeaderMap,
    /// What we are called there.
    pub service: String,
}

/// Whether spans are told, and to whom.
#[derive(Debug, Default)]
pub enum Spans {
    /// Nobody asked for them.
    #[default]
    Off,
    /// They are.
    On(Box<Outbox>),
}

/// The way of spans to their collector.
#[derive(Debug)]
pub struct Outbox {
    queue: mpsc::Sender<Span>,
    figures: Figures,
    over: watch::Sender<bool>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

/// Spans that wait; more are dropped.
const QUEUE: usize = 4_096;
/// The most spans of one export, and how long they are gathered.
const EXPORT: usize = 512;
const GATHER: Duration = Duration::from_secs(1);
/// How long one export may take, and how often it is tried.
const LIMIT: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
/// How long the last ones may take when the house ends.
const LAST: Duration = Duration::from_secs(3);

/// What became of spans.
pub(super) const SENT: &str = "sent";
pub(super) const DROPPED: &str = "dropped";

impl Spans {
    /// Begins to tell spans.
    #[must_use]
    pub fn on(to: To, client: Client, figures: Figures) -> Self {
        let (queue, spans) = mpsc::channel(QUEUE);
        let (over, ended) = watch::channel(false);
        let courier = Courier {
            to,
            client,
            figures: figures.clone(),
        };
        Self::On(Box::new(Outbox {
            queue,
            figures,
            over,
            worker: Mutex::new(Some(tokio::spawn(courier.work(spans, ended)))),
        }))
    }

    /// Tells the last ones, as far as they get away in a moment.
    pub async fn close(&self) {
        let Self::On(outbox) = self else { return };
        outbox.over.send_replace(true);
        let worker = outbox.worker.lock();
        let worker = worker.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            let _ = timeout(LAST, worker).await;
        }
    }

    /// An attempt has ended: with the code of an error, or with tokens.
    pub fn ended(
        &self,
        open: Option<Box<Open>>,
        now: Instant,
        (error, tokens): (Option<&'static str>, Option<Tokens>),
    ) {
        if let Some(open) = open {
            self.tell(open.ended(now, error, tokens));
        }
    }

    pub(super) fn tell(&self, span: Span) {
        if let Self::On(outbox) = self
            && outbox.queue.try_send(span).is_err()
        {
            outbox.figures.spans(DROPPED, 1);
        }
    }
}

/// Who carries them.
struct Courier {
    to: To,
    client: Client,
    figures: Figures,
}

impl Courier {
    async fn work(self, mut spans: mpsc::Receiver<Span>, mut ended: watch::Receiver<bool>) {
        let mut some = Vec::with_capacity(EXPORT);
        loop {
            tokio::select! {
                biased;
                _ = ended.wait_for(|ended| *ended), if !spans.is_closed() => spans.close(),
                count = spans.recv_many(&mut some, EXPORT) => if count == 0 {
                    return;
                },
            }
            let gathering = async {
                while some.len() < EXPORT && spans.recv_many(&mut some, EXPORT).await > 0 {}
            };
            tokio::select! {
                () = gathering => {}
                () = tokio::time::sleep(GATHER) => {}
                _ = ended.wait_for(|ended| *ended) => {}
            }
            for part in some.chunks(EXPORT) {
                let count = u64::try_from(part.len()).unwrap_or(0);
                let became = if self.carry(part).await {
                    SENT
                } else {
                    DROPPED
                };
                self.figures.spans(became, count);
            }
            some.clear();
        }
    }

    /// Carries some there; says whether they arrived.
    async fn carry(&self, spans: &[Span]) -> bool {
        let body = Bytes::from(otlp::export(&self.to.service, spans));
        for again in 0..TRIES {
            match timeout(LIMIT, self.post(body.clone())).await {
                Ok(Some(200..=299)) => return true,
                // What it cannot read it cannot read again.
                Ok(Some(status)) if !matches!(status, 429 | 502..=504) => {
                    tracing::warn!(status, "the collector does not take our spans");
                    return false;
                }
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(200 << again)).await,
            }
        }
        tracing::warn!("the collector of spans cannot be reached");
        false
    }

    async fn post(&self, body: Bytes) -> Option<u16> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.to.uri.clone();
        *request.headers_mut() = self.to.headers.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let mut answer = self.client.send("traces", request).await.ok()?;
        // Read to its end, so that the connection can be used again.
        let mut read = 0;
        while let Some(Ok(bytes)) = answer.bytes().await {
            read += bytes.len();
            if read > 64 << 10 {
                break;
            }
        }
        Some(answer.status.as_u16())
    }
}
