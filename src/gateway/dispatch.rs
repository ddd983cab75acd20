//! Sends a request to a provider with the credential it wants, and once more where that was stale.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Request;
use tokio::time::timeout_at;

use crate::catalog::Secret;
use crate::dialect::{Failure, limits};
use crate::net::Upstream;

use super::failed::{no_time, texts, unreachable};
use super::headroom;
use super::proof::{Pass, Proof};
use super::said::Said;
use super::shared::Shared;
use super::site::Site;

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
            let now = self.shared.clock.moment();
            let mut key = None;
            if let Some(shown) = self.site.shown(self.brought, now) {
                request.headers_mut().insert(shown.name, shown.value);
                key = shown.place;
            }
            sent();
            let mut came = self.ask(request, None).await?;
            match &mut came {
                Came::Refusal(said) => said.key = key,
                Came::Answer(upstream) if self.site.rotation().is_several() => {
                    let unix = self.shared.clock.unix();
                    let said = limits::carried(texts(&upstream.headers), unix);
                    if let Some(left) = headroom::left(&said) {
                        self.site.rotation().head(key, left, now);
                    }
                }
                Came::Answer(_) => {}
            }
            return Ok(came);
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
