//! Sends a request to a provider with the credential it wants, and once more where that was stale.
//!
//! What is on its way belongs to nobody: whoever waits for it may set it aside, and go on with something else.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use tokio::time::timeout_at;

use crate::dialect::{Failure, limits};
use crate::net::Upstream;

use super::failed::{no_time, texts, unreachable};
use super::headroom;
use super::proof::Pass;
use super::receive::Received;
use super::said::Said;
use super::shared::Shared;
use super::site::Site;

/// Where a request goes, and until when.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The running house.
    pub shared: Arc<Shared>,
    /// The call; it may bring a key of its own for the provider.
    pub received: Arc<Received>,
    /// The provider.
    pub provider: String,
    /// When it is too late.
    pub deadline: Instant,
}

/// A request with its credential, ready to leave.
#[derive(Debug)]
pub struct Ready {
    request: Request<Bytes>,
    credential: Credential,
}

/// What a request shows.
#[derive(Debug)]
enum Credential {
    /// A key: the caller's, or ours of this place.
    Key(Option<usize>),
    /// What is proved, and the request as it was before.
    Proved(Arc<Pass>, Box<Request<Bytes>>),
}

/// What came of a request.
#[derive(Debug)]
pub enum Came {
    /// An answer.
    Answer(Upstream),
    /// A status that is none.
    Refusal(Box<Said>),
}

/// What came of a request, and how often it was sent again on the way.
#[derive(Debug)]
pub struct Arrived {
    /// What came.
    pub came: Result<Came, Failure>,
    /// How often it was sent again.
    pub again: u32,
}

/// A request on its way.
pub struct Sending(Pin<Box<dyn Future<Output = Arrived> + Send>>);

impl fmt::Debug for Sending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sending").finish_non_exhaustive()
    }
}

impl Future for Sending {
    type Output = Arrived;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Arrived> {
        self.get_mut().0.as_mut().poll(cx)
    }
}

impl Dispatch {
    /// Puts the credential on a request whose form is final: the caller's own, a key of ours, or one that is proved.
    ///
    /// # Errors
    /// Why there is none. Nothing was sent.
    pub async fn ready(&self, mut request: Request<Bytes>) -> Result<Ready, Failure> {
        let brought = self.received.brought.as_ref();
        let site = self.site();
        if site.is_some_and(|site| brought.is_none() && site.proof().is_some()) {
            return self.proved(request).await;
        }
        let now = self.shared.clock.moment();
        let mut key = None;
        if let Some(shown) = site.and_then(|site| site.shown(brought, now)) {
            request.headers_mut().insert(shown.name, shown.value);
            key = shown.place;
        }
        Ok(Ready {
            request,
            credential: Credential::Key(key),
        })
    }

    /// Sends it.
    ///
    /// A provider that refuses a credential has done nothing and bills nothing. So a call whose token or keys were
    /// refused as stale is sent to the same provider once more, with others; unless those were fetched a moment ago,
    /// as then it is not their age.
    #[must_use]
    pub fn send(self, ready: Ready) -> Sending {
        Sending(Box::pin(async move {
            let mut again = 0;
            let came = self.sent(ready, &mut again).await;
            Arrived { came, again }
        }))
    }

    fn site(&self) -> Option<&Site> {
        self.shared.site(&self.provider)
    }

    async fn sent(&self, ready: Ready, again: &mut u32) -> Result<Came, Failure> {
        let Ready {
            request,
            credential,
        } = ready;
        let (pass, spare) = match credential {
            Credential::Key(key) => {
                let mut came = self.ask(request, None).await?;
                self.notes(&mut came, key);
                return Ok(came);
            }
            Credential::Proved(pass, spare) => (pass, spare),
        };
        let came = self.ask(request, Some(&pass)).await?;
        let renews = |pass| {
            let proof = self.site().and_then(Site::proof);
            proof.is_some_and(|proof| proof.renew(pass))
        };
        match &came {
            Came::Refusal(said) if said.is_stale() && renews(&pass) => {}
            Came::Refusal(_) | Came::Answer(_) => return Ok(came),
        }
        let Ready {
            request,
            credential,
        } = self.proved(*spare).await?;
        *again += 1;
        let pass = match &credential {
            Credential::Proved(pass, _) => Some(pass),
            Credential::Key(_) => None,
        };
        self.ask(request, pass).await
    }

    /// Notes what the answer to a key of ours says of it.
    fn notes(&self, came: &mut Came, key: Option<usize>) {
        let rotation = self.site().map(Site::rotation);
        match came {
            Came::Refusal(said) => said.key = key,
            Came::Answer(upstream) => {
                let Some(rotation) = rotation.filter(|rotation| rotation.is_several()) else {
                    return;
                };
                let unix = self.shared.clock.unix();
                let said = limits::carried(texts(&upstream.headers), unix);
                if let Some(left) = headroom::left(&said) {
                    rotation.head(key, left, self.shared.clock.moment());
                }
            }
        }
    }

    async fn proved(&self, mut request: Request<Bytes>) -> Result<Ready, Failure> {
        let Some(proof) = self.site().and_then(Site::proof) else {
            let credential = Credential::Key(None);
            return Ok(Ready {
                request,
                credential,
            });
        };
        let spare = Box::new(request.clone());
        let put = proof.put(&self.provider, &mut request);
        let put = timeout_at(self.deadline.into(), put).await;
        let pass = put.map_err(|_| no_time(&self.provider))??;
        Ok(Ready {
            request,
            credential: Credential::Proved(pass, spare),
        })
    }

    async fn ask(
        &self,
        request: Request<Bytes>,
        pass: Option<&Arc<Pass>>,
    ) -> Result<Came, Failure> {
        let name = &self.provider;
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
