//! TLS towards providers: rustls with ring and the Mozilla roots; TLS 1.2 and 1.3.

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;

/// A connector that speaks TLS to `https` and plain TCP to `http` addresses.
///
/// # Errors
/// Where the cryptography offers no protocol version: a defect of the build.
pub fn connector(plain: HttpConnector) -> Result<HttpsConnector<HttpConnector>, rustls::Error> {
    let builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(plain))
}
