//! Walks the way to a credential: fetches, reads, runs and signs what it asks for, within bounds of time and size.
//!
//! Nothing of it is recorded, redirected or logged but where it led.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::catalog::auth::{Answer, Fetch, Got, Grant, Lease, Reach, Signing, Step, Text};
use crate::net::{Client, Upstream, Wire};

use super::clock::Clock;

/// How long a step may take.
const STEP: Duration = Duration::from_secs(5);
/// How long a program may take: it may well ask somebody far away itself.
const PROGRAM: Duration = Duration::from_secs(20);
/// How long somebody near may take to be there at all.
const KNOCK: Duration = Duration::from_secs(1);
/// No credential is longer.
const LONGEST: u64 = 256 * 1024;
/// No way has more steps; the longest that there is has fewer than half as many.
const STEPS: usize = 40;

/// Walks a way to its end: the credential and where it came from.
///
/// # Errors
/// Why there is none; it names the way and holds no secret.
pub async fn walk(
    mut grant: Box<dyn Grant>,
    client: &Client,
    clock: Clock,
) -> Result<(Lease, String), String> {
    let mut got = Got::Nothing;
    for _ in 0..STEPS {
        got = match grant.next(got, clock.unix()) {
            Step::Done(lease) => return Ok((lease, grant.name())),
            Step::NotHere(why) | Step::Failed(why) => {
                return Err(format!("{}: {why}", grant.name()));
            }
            Step::Fetch(fetch) => self::fetch(*fetch, client).await,
            Step::Read(path) => within(STEP, read(&path)).await,
            Step::Run(command) => within(PROGRAM, run(&command)).await,
            Step::Sign(signing) => sign(&signing).map_or_else(Got::Broken, Got::Signature),
        };
    }
    Err(format!("{}: it leads nowhere", grant.name()))
}

async fn within(limit: Duration, step: impl Future<Output = Got>) -> Got {
    let late = |_| Got::Broken(format!("it took longer than {} s", limit.as_secs()));
    timeout(limit, step).await.unwrap_or_else(late)
}

async fn fetch(fetch: Fetch, client: &Client) -> Got {
    if fetch.reach == Reach::Near && !answers(fetch.request.uri()).await {
        return Got::Absent("nobody answers".to_owned());
    }
    let far = fetch.reach == Reach::Far;
    let host = fetch.request.uri().host().unwrap_or_default().to_owned();
    let asked = async {
        match client.send("", fetch.request).await {
            Ok(upstream) => answer(upstream).await,
            Err(wire) if far => Got::Broken(format!("{host} {}", what(wire))),
            Err(wire) => Got::Absent(what(wire).to_owned()),
        }
    };
    within(STEP, asked).await
}

/// Whether somebody listens there. Where there is no metadata service, packets to its address often just vanish.
async fn answers(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(80);
    let knocked = timeout(KNOCK, TcpStream::connect((host, port))).await;
    matches!(knocked, Ok(Ok(_)))
}

async fn answer(mut upstream: Upstream) -> Got {
    let date = upstream
        .headers
        .get("date")
        .and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let date = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    let mut body = Vec::new();
    while let Some(read) = upstream.bytes().await {
        match read {
            Ok(bytes) if (body.len() + bytes.len()) as u64 <= LONGEST => {
                body.extend_from_slice(&bytes);
            }
            Ok(_) => return Got::Broken("its answer is too long".to_owned()),
            Err(wire) => return Got::Broken(format!("it {}", what(wire))),
        }
    }
    Got::Answer(Answer {
        status: upstream.status.as_u16(),
        date: date.map(|date| date.as_secs()),
        body,
    })
}

const fn what(wire: Wire) -> &'static str {
    match wire {
        Wire::Connect => "cannot be reached",
        Wire::ConnectTimeout => "could not be connected to in time",
        Wire::Spent => {
            "could not be connected to: this machine has no port or file descriptor left"
        }
        Wire::Tls => "has no certificate that can be trusted",
        Wire::Denied => "leads to a private network",
        Wire::Closed => "closed the connection before answering",
        Wire::Protocol => "answered with something that is not HTTP",
    }
}

async fn read(path: &Path) -> Got {
    let opened = async {
        let file = tokio::fs::File::open(path).await?;
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).await?;
        Ok(text)
    };
    let read: std::io::Result<Vec<u8>> = opened.await;
    match read {
        Ok(text) => Got::Text(Text(String::from_utf8_lossy(&text).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Got::Absent("there is no such file".to_owned())
        }
        Err(error) => Got::Broken(format!("its file cannot be read: {error}")),
    }
}

/// Runs a program and takes what it prints. What it says on stderr may hold anything and is not passed on.
async fn run(command: &[String]) -> Got {
    let Some((program, arguments)) = command.split_first() else {
        return Got::Broken("there is no program".to_owned());
    };
    let ran = async {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut text = Vec::new();
        if let Some(out) = child.stdout.take() {
            out.take(LONGEST).read_to_end(&mut text).await?;
        }
        Ok((child.wait().await?, text))
    };
    let ran: std::io::Result<_> = ran.await;
    match ran {
        Ok((status, text)) if status.success() => {
            Got::Text(Text(String::from_utf8_lossy(&text).into_owned()))
        }
        Ok((status, _)) => Got::Broken(format!("it ended with {status}")),
        Err(error) => Got::Broken(format!("it cannot be run: {error}")),
    }
}

/// Signs with RSA and SHA-256. The padding is without randomness; ring wants a source of it all the same.
fn sign(signing: &Signing) -> Result<Vec<u8>, String> {
    let bad = || "its private key is no RSA key in PEM".to_owned();
    let (_, rest) = signing.pem.split_once("-----BEGIN ").ok_or_else(bad)?;
    let (kind, rest) = rest.split_once("-----").ok_or_else(bad)?;
    let (text, _) = rest.split_once("-----END").ok_or_else(bad)?;
    let text: String = text.split_whitespace().collect();
    let der = STANDARD.decode(text).map_err(|_| bad())?;
    let pair = if kind == "RSA PRIVATE KEY" {
        RsaKeyPair::from_der(&der)
    } else {
        RsaKeyPair::from_pkcs8(&der)
    };
    let pair = pair.map_err(|_| bad())?;
    let mut signature = vec![0; pair.public().modulus_len()];
    let text = signing.text.as_bytes();
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text,
        &mut signature,
    )
    .map_err(|_| bad())?;
    Ok(signature)
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
