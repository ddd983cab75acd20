//! Providers that stop within a handshake, or end an answer without a word of TLS.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::house::{Proxy, STREAMED, WHOLE, lab, whole};
use crate::tls::Authority;

/// A provider that takes connections and says nothing is a 504 as soon as its handshake is too late.
#[tokio::test]
async fn a_handshake_that_stops_is_a_504_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/v1",
        silent.local_addr().unwrap().port()
    );
    let config = format!("{}[resilience]\nretries = 0\n", lab(&url));
    let proxy = Proxy::start(&config).await;
    let began = Instant::now();
    let reply = proxy.ask(WHOLE).await;
    let took = began.elapsed();
    assert_eq!(reply.status, 504, "{}", reply.text());
    assert_eq!(reply.json()["error"]["code"], "upstream_connect_timeout");
    let times = Duration::from_secs(5)..Duration::from_secs(8);
    assert!(times.contains(&took), "{took:?}");
}

/// How a provider ends its answer.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Properly,
    Abruptly,
}

/// A provider that speaks TLS and answers each connection once; the end of the connection is the end of the answer.
async fn provider(authority: &Authority, answer: String, ends: Ends) -> String {
    let (certificate, key) = authority.certificate("localhost", 2100);
    let chain = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/v1",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            tokio::spawn(async move {
                let mut line = acceptor.accept(line).await.unwrap();
                let _ = line.read(&mut [0; 8192]).await;
                line.write_all(answer.as_bytes()).await.unwrap();
                line.flush().await.unwrap();
                match ends {
                    Ends::Properly => line.shutdown().await.unwrap(),
                    Ends::Abruptly => line.get_mut().0.shutdown().await.unwrap(),
                }
            });
        }
    });
    url
}

/// What stands for a whole answer may be the half that somebody on the way let through.
#[tokio::test]
async fn an_answer_that_ends_without_a_word_of_tls_is_broken_off() {
    let authority = Authority::new();
    let folder = std::env::temp_dir().join(format!("waypost-hand-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let bundle = folder.join("ca.pem");
    std::fs::write(&bundle, authority.pem()).unwrap();
    let document = String::from_utf8(whole("hello").body()).unwrap();
    let document = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{document}");
    let word = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\
                \"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n";
    let stream = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{word}");
    for ends in [Ends::Properly, Ends::Abruptly] {
        let url = provider(&authority, document.clone(), ends).await;
        let config = format!(
            "{}[tls]\nca_bundle = {bundle:?}\n[resilience]\nretries = 0\n",
            lab(&url)
        );
        let proxy = Proxy::start(&config).await;
        let reply = proxy.ask(WHOLE).await;
        match ends {
            Ends::Properly => assert_eq!(reply.status, 200, "{}", reply.text()),
            Ends::Abruptly => {
                assert_eq!(reply.status, 502, "{}", reply.text());
                assert_eq!(reply.json()["error"]["code"], "upstream_truncated");
            }
        }
        let url = provider(&authority, stream.clone(), ends).await;
        proxy.configure(&config.replace(
            &config[config.find("https").unwrap()..config.find("/v1").unwrap() + 3],
            &url,
        ));
        proxy.signal("-HUP");
        proxy.says("the configuration was reloaded").await;
        let reply = proxy.ask(STREAMED).await;
        assert!(
            !reply.clean && !reply.text().contains("[DONE]"),
            "{ends:?}: {}",
            reply.text()
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
