//! TLS both ways: rustls with ring, TLS 1.2 and 1.3. Towards providers with the Mozilla roots or a bundle of the user's
//! own, and nothing that turns checking off; towards clients with a certificate of the user's own.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tower_service::Service;
use webpki::{EndEntityCert, KeyUsage};

use super::egress::Judge;

/// How long a connection may take, name and handshake included, and how long the handshake.
const LIMIT: Duration = Duration::from_secs(10);
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What is spoken over TLS.
const HTTP: &[u8] = b"http/1.1";

/// Who may vouch for providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whoever browsers trust.
    #[default]
    Usual,
    /// These authorities alone.
    Only(Vec<CertificateDer<'static>>),
}

/// What is wrong with certificates or keys, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(pub String);

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// A connector that gives up in time, so that another target can still be asked: names and connections have their
/// time, and a handshake has its own.
#[derive(Clone, Debug)]
pub struct Timely {
    plain: HttpConnector<Judge>,
    tls: Arc<ClientConfig>,
}

type Error = Box<dyn std::error::Error + Send + Sync>;
type Https = HttpsConnector<Noting>;

impl Service<Uri> for Timely {
    type Response = <Https as Service<Uri>>::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.plain.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (tell, connected) = oneshot::channel();
        let noting = Noting {
            plain: self.plain.clone(),
            tell: Some(tell),
        };
        let mut https = Https::from((noting, Arc::clone(&self.tls)));
        let connecting = https.call(uri);
        Box::pin(async move {
            let mut connecting = std::pin::pin!(timeout(LIMIT, connecting));
            let late = async {
                // Where that is not told, there is no connection.
                if connected.await.is_err() {
                    std::future::pending::<()>().await;
                }
                sleep(HANDSHAKE).await;
            };
            tokio::select! {
                biased;
                done = &mut connecting => done.unwrap_or_else(|_| Err(too_late())),
                () = late => Err(too_late()),
            }
        })
    }
}

fn too_late() -> Error {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// A connector that tells when there is a connection.
#[derive(Debug)]
pub struct Noting {
    plain: HttpConnector<Judge>,
    tell: Option<oneshot::Sender<()>>,
}

impl Service<Uri> for Noting {
    type Response = <HttpConnector<Judge> as Service<Uri>>::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.plain.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, tell) = (self.plain.call(uri), self.tell.take());
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(tell) = tell {
                let _ = tell.send(());
            }
            Ok(connection)
        })
    }
}

/// A connector that speaks TLS to `https` and plain TCP to `http` addresses.
#[must_use]
pub fn connector(plain: HttpConnector<Judge>, tls: ClientConfig) -> Timely {
    let tls = Arc::new(tls);
    Timely { plain, tls }
}

/// How providers are spoken to.
///
/// # Errors
/// Where the cryptography offers no protocol version, a defect of the build, or an authority is none.
pub fn towards_providers(trust: &Trust) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::Usual => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Trust::Only(authorities) => {
            for authority in authorities {
                roots.add(authority.clone())?;
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities of a bundle in PEM.
///
/// # Errors
/// Where there is none in it.
pub fn authorities(pem: &[u8]) -> Result<Trust, Unusable> {
    let all = certificates(pem)?;
    let mut roots = RootCertStore::empty();
    for (at, authority) in all.iter().enumerate() {
        let added = roots.add(authority.clone());
        added.map_err(|error| Unusable(format!("certificate {}: {error}", at + 1)))?;
    }
    Ok(Trust::Only(all))
}

/// What clients are shown: a certificate with what leads to its authority, and its key, both in PEM.
///
/// # Errors
/// Where they are none, do not belong together, or do not hold at `now`, in Unix seconds.
pub fn towards_clients(chain: &[u8], key: &[u8], now: u64) -> Result<ServerConfig, Unusable> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|_| Unusable("there is no private key in PEM in the file of key".to_owned()))?;
    holds(&chain, now)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let config =
        builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| Unusable(error.to_string()))?;
    config.alpn_protocols = vec![HTTP.to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| Unusable(format!("this is not PEM: {error}")))?;
    if all.is_empty() {
        return Err(Unusable("there is no certificate in it".to_owned()));
    }
    Ok(all)
}

/// Whether a certificate is of this time. Whom it convinces is its clients' matter.
fn holds(chain: &[CertificateDer<'static>], now: u64) -> Result<(), Unusable> {
    let Some(Ok(first)) = chain.first().map(EndEntityCert::try_from) else {
        return Err(Unusable("the first certificate cannot be read".to_owned()));
    };
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let usage = KeyUsage::server_auth();
    match first.verify_for_usage(algorithms.all, &[], &[], now, usage, None, None) {
        Err(webpki::Error::CertExpired { .. }) => {
            Err(Unusable("the certificate has expired".to_owned()))
        }
        Err(webpki::Error::CertNotValidYet { .. }) => {
            Err(Unusable("the certificate is not valid yet".to_owned()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
