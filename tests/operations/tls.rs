//! TLS towards clients, with certificates that change while streams run; trust in providers; where connections may go.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use waypost::net::{Client, Egress, Wire, tls::Trust};

use crate::house::{CHAT, Proxy, SOON, STREAMED, WHOLE, lab, provider, stream, whole};

/// An authority of our own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, in PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, until a year; with its key, both in PEM.
    pub(crate) fn certificate(&self, name: &str, year: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn client(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

type Line = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect(proxy: &Proxy, authority: &Authority) -> std::io::Result<Line> {
    let stream = TcpStream::connect(proxy.addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    authority.client().connect(name, stream).await
}

async fn read<S: AsyncRead + Unpin>(line: &mut S, until: &str) -> String {
    let mut all = String::new();
    let mut some = [0; 4096];
    while !all.contains(until) {
        let read = tokio::time::timeout(SOON, line.read(&mut some)).await;
        match read.expect("an answer in time") {
            Ok(read @ 1..) => all += &String::from_utf8_lossy(&some[..read]),
            Ok(0) | Err(_) => break,
        }
    }
    all
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(line: &mut S, body: &str, until: &str) -> String {
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(head.as_bytes()).await.unwrap();
    read(line, until).await
}

fn shown(line: &Line) -> Vec<u8> {
    let chain = line.get_ref().1.peer_certificates().unwrap();
    chain[0].to_vec()
}

/// HTTPS with ALPN; another certificate is shown from the next connection on, and a stream that runs keeps its own.
/// One that is broken, foreign to its key or out of time is refused, and the one before stays.
#[tokio::test]
async fn certificates_change_and_streams_go_on() {
    let slow = provider(stream(20, Duration::from_millis(150))).await;
    let authority = Authority::new();
    let (first, first_key) = authority.certificate("localhost", 2100);
    let folder = std::env::temp_dir().join(format!("waypost-tls-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, &first).unwrap();
    std::fs::write(&key, &first_key).unwrap();
    let config = format!(
        "{}[tls]\ncert = {cert:?}\nkey = {key:?}\n",
        lab(&slow.url("lab"))
    );
    let proxy = Proxy::start(&config).await;
    let mut live = connect(&proxy, &authority).await.unwrap();
    assert_eq!(live.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let begun = ask(&mut live, STREAMED, "word0").await;
    assert!(begun.starts_with("HTTP/1.1 200"), "{begun}");

    let (other, other_key) = authority.certificate("localhost", 2100);
    let (old, old_key) = authority.certificate("localhost", 2021);
    let bad = [
        (
            "nothing of the kind",
            first_key.as_str(),
            "there is no certificate",
        ),
        (first.as_str(), other_key.as_str(), "keys"),
        (first.as_str(), "no key", "no private key"),
        (old.as_str(), old_key.as_str(), "has expired"),
    ];
    for (at, (chain, secret, why)) in bad.into_iter().enumerate() {
        std::fs::write(&cert, chain).unwrap();
        std::fs::write(&key, secret).unwrap();
        proxy.signal("-HUP");
        proxy.says_times("was not reloaded", at + 1).await;
        let log = proxy.log().to_lowercase();
        assert!(log.contains(why), "{why}: {log}");
        let line = connect(&proxy, &authority).await.unwrap();
        assert_eq!(shown(&line), shown(&live), "the one before stays");
    }
    // No signal: the files are watched.
    std::fs::write(&cert, &other).unwrap();
    std::fs::write(&key, &other_key).unwrap();
    proxy.says("the configuration was reloaded").await;
    let line = connect(&proxy, &authority).await.unwrap();
    assert_ne!(shown(&line), shown(&live));
    let rest = read(&mut live, "[DONE]").await;
    assert!(rest.contains("word19"), "{rest}");
    for secret in [&first_key, &other_key] {
        let line = secret.lines().nth(1).unwrap();
        assert!(!proxy.log().contains(line), "no key is logged");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Who speaks no TLS, or stops in its midst, is let go; a plain request gets no answer.
#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let replay = provider(whole("hello")).await;
    let authority = Authority::new();
    let (cert, key) = authority.certificate("localhost", 2100);
    let folder = std::env::temp_dir().join(format!("waypost-tls-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("c"), cert).unwrap();
    std::fs::write(folder.join("k"), key).unwrap();
    let files = (folder.join("c"), folder.join("k"));
    let config = format!(
        "{}[tls]\ncert = {:?}\nkey = {:?}\n",
        lab(&replay.url("lab")),
        files.0,
        files.1
    );
    let proxy = Proxy::start(&config).await;
    let mut plain = TcpStream::connect(proxy.addr).await.unwrap();
    let told = ask(&mut plain, WHOLE, "\r\n\r\n").await;
    assert!(!told.contains("HTTP"), "{told}");
    let began = Instant::now();
    let mut half = TcpStream::connect(proxy.addr).await.unwrap();
    half.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    let mut some = [0; 64];
    let ended = tokio::time::timeout(SOON, half.read(&mut some))
        .await
        .expect("it is closed");
    assert_eq!(ended.unwrap_or(0), 0);
    assert!(
        began.elapsed() >= Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    let mut line = connect(&proxy, &authority).await.unwrap();
    assert!(ask(&mut line, WHOLE, "hello").await.contains("hello"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A provider that speaks TLS with a certificate of ours; gives back how many requests it read.
async fn tls_provider(chain: &str, key: &str) -> (u16, Arc<std::sync::atomic::AtomicUsize>) {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let read = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut line) = acceptor.accept(stream).await else {
                continue;
            };
            let mut some = [0; 8192];
            if line.read(&mut some).await.is_ok_and(|read| read > 0) {
                read.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            let answer = whole("over TLS").body();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let _ = line.write_all(head.as_bytes()).await;
            let _ = line.write_all(&answer).await;
            let _ = line.shutdown().await;
        }
    });
    (port, seen)
}

/// A provider is believed by the authorities that were named and by no others; to one that is not, nothing is sent.
#[tokio::test]
async fn providers_are_trusted_by_a_bundle() {
    let authority = Authority::new();
    let good = authority.certificate("localhost", 2100);
    let expired = authority.certificate("localhost", 2021);
    let elsewhere = authority.certificate("example.com", 2100);
    let folder = std::env::temp_dir().join(format!("waypost-tls-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let bundle = folder.join("ca.pem");
    std::fs::write(&bundle, authority.0.pem()).unwrap();
    let trusting = format!("[tls]\nca_bundle = {bundle:?}\n");
    for (name, pair, words, answered) in [
        ("by the bundle", &good, trusting.as_str(), true),
        ("by nobody", &good, "", false),
        ("out of time", &expired, &trusting, false),
        ("for another host", &elsewhere, &trusting, false),
    ] {
        let (port, seen) = tls_provider(&pair.0, &pair.1).await;
        let config = format!("{}{words}", lab(&format!("https://localhost:{port}/v1")));
        let proxy = Proxy::start(&config).await;
        let reply = proxy.ask(WHOLE).await;
        let seen = seen.load(std::sync::atomic::Ordering::Relaxed);
        if answered {
            assert_eq!((reply.status, seen), (200, 1), "{name}: {}", reply.text());
        } else {
            assert_eq!((reply.status, seen), (502, 0), "{name}: {}", reply.text());
            assert!(
                reply.text().contains("upstream_tls_error"),
                "{}",
                reply.text()
            );
            assert_eq!(reply.header("x-should-retry"), Some("false"));
        }
    }
    let checked = |words: String| {
        std::fs::write(folder.join("waypost.toml"), words).unwrap();
        let waypost = std::process::Command::new(env!("CARGO_BIN_EXE_waypost"))
            .args(["check", "--config"])
            .arg(folder.join("waypost.toml"))
            .output()
            .unwrap();
        (
            waypost.status.code(),
            String::from_utf8_lossy(&waypost.stdout).into_owned(),
        )
    };
    assert_eq!(checked(trusting).0, Some(0));
    let (code, told) = checked("[tls]\nca_bundle = \"/nowhere/ca.pem\"\n".to_owned());
    assert_eq!(code, Some(78));
    assert!(told.contains("[tls] ca_bundle /nowhere/ca.pem"), "{told}");
    let (code, told) = checked("[tls]\ncert = \"c.pem\"\n".to_owned());
    assert_eq!(
        (code, told.contains(":2:8: [tls] cert needs key")),
        (Some(78), true),
        "{told}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

/// A name that leads to this machine or a private network is only followed where the configuration has that name.
#[tokio::test]
async fn a_name_that_leads_inside_is_not_followed_unless_it_was_named() {
    let replay = provider(whole("hello")).await;
    let url = replay.url("lab").replace("127.0.0.1", "localhost");
    let egress = Arc::new(Egress::default());
    let client = Client::careful(None, &Trust::Usual, Arc::clone(&egress)).unwrap();
    let send = async || {
        let request = Request::post(format!("{url}/chat/completions")).body(Bytes::from(WHOLE));
        client
            .send("lab", request.unwrap())
            .await
            .map(|upstream| upstream.status.as_u16())
    };
    egress.allow(["api.example.com".to_owned()]);
    assert_eq!(send().await, Err(Wire::Denied));
    assert_eq!(replay.connections(), 0, "nothing was connected to");
    egress.allow(["LocalHost".to_owned()]);
    assert_eq!(send().await, Ok(200));
    let config = waypost::config::Config::parse(&lab(&url), Path::new("w"), &|_| None).unwrap();
    assert_eq!(config.active[0].own_host.as_deref(), Some("localhost"));
    let proxy = Proxy::start(&lab(&url)).await;
    assert_eq!(proxy.ask(WHOLE).await.status, 200);
}
