//! Sends a request to a provider with the credential it wants, and once more where that was stale.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use tokio::time::{timeout, timeout_at};

use crate::catalog::Secret;
use crate::catalog::auth::refusal::Refusal;
use crate::dialect::Failure;
use crate::net::Upstream;

use super::failed::{no_time, unreachable};
use super::proof::{Pass, Proof};
use super::shared::Shared;
use super::site::Site;

/// How much of an error body is read.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// How long an error body may take.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a request goes, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'a> {
    /// The running house.
    pub shared: &'a Shared,
    /// The provider.
    pub site: &'a Site,
    /// The caller's own key for it, where it brings one.
    pub brought: Option<&'a Secret>,
    /// When it is too late.
    pub deadline: Instant,
}

/// What came of a request.
#[derive(Debug)]
pub enum Came {
    /// An answer.
    Answer(Upstream),
    /// A status that is none.
    Refusal(Box<Said>),
}

/// What a provider said instead of an answer.
#[derive(Debug)]
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// The credential that was proved and refused, and why.
    pub refused: Option<(Arc<Pass>, Refusal)>,
}

impl Dispatch<'_> {
    /// Sends a request whose form is final but for the credential: the caller's own, a key of ours, or one that is
    /// proved. `sent` is called for each time that it is sent.
    ///
    /// A provider that refuses a credential has done nothing and bills nothing. So a call whose token or keys were
    /// refused as stale is sent to the same provider once more, with others; unless those were fetched a moment ago,
    /// as then it is not their age.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub async fn send(
        &self,
        mut request: Request<Bytes>,
        mut sent: impl FnMut(),
    ) -> Result<Came, Failure> {
        let Some(proof) = self.site.proof().filter(|_| self.brought.is_none()) else {
            if let Some((name, value)) = self.site.shown(self.brought) {
                request.headers_mut().insert(name, value);
            }
            sent();
            return self.ask(request, None).await;
        };
        let spare = request.clone();
        let (came, pass) = self.prove(proof, request, &mut sent).await?;
        match &came {
            Came::Refusal(said) if said.is_stale() && proof.renew(&pass) => {
                Ok(self.prove(proof, spare, &mut sent).await?.0)
            }
            Came::Refusal(_) | Came::Answer(_) => Ok(came),
        }
    }

    async fn prove(
        &self,
        proof: &Proof,
        mut request: Request<Bytes>,
        sent: &mut impl FnMut(),
    ) -> Result<(Came, Arc<Pass>), Failure> {
        let name = &self.site.provider.name;
        let put = timeout_at(self.deadline.into(), proof.put(name, &mut request)).await;
        let pass = put.map_err(|_| no_time(name))??;
        sent();
        let came = self.ask(request, Some(&pass)).await?;
        Ok((came, pass))
    }

    async fn ask(
        &self,
        request: Request<Bytes>,
        pass: Option<&Arc<Pass>>,
    ) -> Result<Came, Failure> {
        let name = &self.site.provider.name;
        let asked = self.shared.client.send(name, request);
        let upstream = timeout_at(self.deadline.into(), asked)
            .await
            .map_err(|_| no_time(name))?
            .map_err(|wire| unreachable(name, wire))?;
        if upstream.status.is_success() {
            return Ok(Came::Answer(upstream));
        }
        let mut said = Said::read(upstream).await;
        if let (Some(pass), 401 | 403) = (pass, said.status.as_u16()) {
            let refusal = said.refusal(self.shared.clock.unix());
            said.refused = Some((Arc::clone(pass), refusal));
        }
        Ok(Came::Refusal(Box::new(said)))
    }
}

impl Said {
    async fn read(mut upstream: Upstream) -> Self {
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
            refused: None,
        }
    }

    fn refusal(&self, now: u64) -> Refusal {
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

    fn is_stale(&self) -> bool {
        matches!(&self.refused, Some((_, Refusal::Stale)))
    }
}
