//! TLS towards providers: rustls with ring and the Mozilla roots; TLS 1.2 and 1.3.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::timeout;
use tower_service::Service;

/// How long a connection may take, name and handshake included.
const LIMIT: Duration = Duration::from_secs(10);

/// A connector that gives up in time, so that another target can still be asked.
#[derive(Clone, Debug)]
pub struct Timely(HttpsConnector<HttpConnector>);

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Timely {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connected = timeout(LIMIT, self.0.call(uri));
        Box::pin(async move {
            match connected.await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// A connector that speaks TLS to `https` and plain TCP to `http` addresses.
///
/// # Errors
/// Where the cryptography offers no protocol version: a defect of the build.
pub fn connector(plain: HttpConnector) -> Result<Timely, rustls::Error> {
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
    Ok(Timely(
        builder.https_or_http().enable_http1().wrap_connector(plain),
    ))
}
