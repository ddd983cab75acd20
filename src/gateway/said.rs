//! What a provider says instead of an answer.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::timeout;

use crate::catalog::auth::refusal::Refusal;
use crate::net::Upstream;

use super::proof::Pass;

/// How much of an error body is read.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// How long an error body may take.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a provider said instead of an answer.
#[derive(Debug)]
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// The place of the key that it is said to, where that is one of ours.
    pub key: Option<usize>,
    /// The credential that was proved and refused, and why.
    pub refused: Option<(Arc<Pass>, Refusal)>,
}

impl Said {
    /// Reads what there is of it.
    pub async fn read(mut upstream: Upstream) -> Self {
        let mut body = Vec::new();
        let read = async {
            while let Some(Ok(bytes)) = upstream.bytes().await {
                let room = MAX_ERROR_BODY.saturating_sub(body.len());
                body.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
                if room == 0 {
                    break;
                }
            }
        };
        // What came in time is enough to tell a failure by.
        let _ = timeout(ERROR_BODY_TIMEOUT, read).await;
        Self {
            status: upstream.status,
            headers: upstream.headers,
            body,
            key: None,
            refused: None,
        }
    }

    /// What it means, where it is of a credential that was proved.
    #[must_use]
    pub fn refusal(&self, now: u64) -> Refusal {
        let text = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok());
        let date = text("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let date = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
        let clocks = (date.map(|date| date.as_secs()), now);
        Refusal::read(
            self.status.as_u16(),
            text("x-amzn-errortype"),
            &self.body,
            clocks,
        )
    }

    /// Whether another credential of the same source may do.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(&self.refused, Some((_, Refusal::Stale)))
    }
}
