//! A provider's credential that is proved rather than shown as a key: kept fresh, put on a request, dropped where it
//! was refused.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HeaderValue};

use crate::catalog::auth::sigv4::{self, Scope};
use crate::catalog::auth::{Credential, Lease, SigningKeys, Source};
use crate::chat::Code;
use crate::dialect::codec::Again;
use crate::dialect::{Failure, Fault};
use crate::net::{Client, Fresh, Refresher, Unfetched};

use super::clock::Clock;
use super::walk::walk;

/// How the calls of a provider are authorised.
#[derive(Debug)]
pub struct Proof {
    passes: Refresher<Pass>,
    scope: Option<Scope>,
    clock: Clock,
}

/// Something that authorises calls, ready for use.
#[derive(Debug)]
pub struct Pass {
    show: Show,
    /// Where it came from, for people.
    pub origin: String,
}

#[derive(Debug)]
enum Show {
    Bearer(HeaderValue),
    Sign(SigningKeys),
}

impl Proof {
    /// A credential from a source, fetched when the first call needs it.
    #[must_use]
    pub fn new(source: &Source, provider: &str, client: &Client, clock: Clock) -> Self {
        let scope = source.scope().cloned();
        let (source, provider) = (source.clone(), provider.to_owned());
        let client = client.untapped();
        let passes = Refresher::new(move || {
            let (grant, provider, client) = (source.grant(), provider.clone(), client.clone());
            Box::pin(async move {
                let walked = walk(grant, &client, clock).await;
                told(&provider, walked)
            })
        });
        Self {
            passes,
            scope,
            clock,
        }
    }

    /// Puts the credential on a request whose form is final. Waits only where there is none that holds.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn put(
        &self,
        provider: &str,
        request: &mut Request<Bytes>,
    ) -> Result<Arc<Pass>, Failure> {
        let now = self.clock.unix();
        let pass = match self.passes.ready(now) {
            Some(pass) => pass,
            None => self
                .passes
                .value(now)
                .await
                .map_err(|why| unproved(provider, &why.0))?,
        };
        match (&pass.show, &self.scope) {
            (Show::Bearer(value), _) => {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
            }
            (Show::Sign(keys), Some(scope)) => {
                // What waited may have waited long: the signature holds from now on.
                let signed = sigv4::sign(request, scope, keys, self.clock.unix());
                signed.map_err(|why| unproved(provider, &why))?;
            }
            (Show::Sign(_), None) => {
                return Err(unproved(provider, "its keys sign for no service"));
            }
        }
        Ok(pass)
    }

    /// Drops a pass that was refused; says whether a call may be sent again with another.
    pub fn renew(&self, pass: &Arc<Pass>) -> bool {
        self.passes.discard(pass)
    }
}

/// One line of the log for each fetch: where it led, and never what it brought.
fn told(provider: &str, walked: Result<(Lease, String), String>) -> Result<Fresh<Pass>, Unfetched> {
    let ready = walked.and_then(|(lease, origin)| {
        let until = lease.until;
        let value = pass(lease, origin)?;
        Ok(Fresh { value, until })
    });
    match ready {
        Ok(fresh) => {
            let (origin, until) = (&fresh.value.origin, fresh.until);
            tracing::info!(provider, origin, until, "a credential was fetched");
            Ok(fresh)
        }
        Err(why) => {
            tracing::warn!(provider, why, "no credential could be fetched");
            Err(Unfetched(why.into()))
        }
    }
}

fn pass(lease: Lease, origin: String) -> Result<Pass, String> {
    let show = match lease.credential {
        Credential::Signing(keys) => Show::Sign(keys),
        Credential::Token(token) => {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
                .map_err(|_| format!("{origin}: its token has characters that no header takes"))?;
            value.set_sensitive(true);
            Show::Bearer(value)
        }
    };
    Ok(Pass { show, origin })
}

/// There is no credential to call with. Nothing was sent; another target may be asked.
fn unproved(provider: &str, why: &str) -> Failure {
    let message = format!(
        "There is no credential to call the provider '{provider}' with ({why}). Nothing was sent; waypost check \
         --probe tries it again."
    );
    Failure {
        again: Again::No,
        fault: Fault::Gateway,
        ..Failure::provider(Code::UpstreamAuthError, message)
    }
}
