//! `waypost keys` beside a proxy that serves.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::fixture::{Exchange, Pace, Replay};

use crate::house::{CHAT, question, whole};
use crate::support;

/// The binary that serves; ended when this is dropped.
pub(crate) struct Serving {
    pub(crate) addr: SocketAddr,
    child: Child,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn waypost(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost"));
    command
        .args(args)
        .arg("--config")
        .arg(folder.join("waypost.toml"))
        .env("XDG_STATE_HOME", folder)
        .env("RUST_LOG", "warn");
    command
}

/// Runs a command to its end: its exit code, what it printed, and what it said aside.
fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let done = waypost(folder, args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        done.status.code().unwrap(),
        text(done.stdout),
        text(done.stderr),
    )
}

pub(crate) async fn serve(folder: &Path) -> Serving {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let child = waypost(folder, &["serve", "--listen", &addr.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let serving = Serving { addr, child };
    let began = Instant::now();
    while tokio::net::TcpStream::connect(addr).await.is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it does not serve"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    serving
}

async fn status(addr: SocketAddr, secret: &str) -> u16 {
    let bearer = format!("Bearer {secret}");
    let body = question("deepseek/m", &json!({}));
    let reply = support::post(addr, CHAT, &[("authorization", &bearer)], &body).await;
    reply.status
}

/// How long it takes until a key is answered so.
async fn until(addr: SocketAddr, secret: &str, wanted: u16) -> Duration {
    let began = Instant::now();
    while status(addr, secret).await != wanted {
        assert!(began.elapsed() < Duration::from_secs(10), "never {wanted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

/// A folder with a configuration for this provider.
fn folder(provider: &Replay) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("waypost-command-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "auth = \"keys\"\n[providers.deepseek]\nbase_url = \"{}\"\napi_key = \"upstream-canary\"\n\
         [[models]]\nid = \"deepseek/m\"\nmax_output = 100\nprice = {{ input = 0.0, output = 10.0 }}\n",
        provider.url("deepseek")
    );
    std::fs::write(folder.join("waypost.toml"), config).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_used_listed_and_revoked_while_the_proxy_serves() {
    let provider = Replay::start([Exchange::any("deepseek", whole(5))], Pace::AtOnce)
        .await
        .unwrap();
    let folder = folder(&provider);
    let serving = serve(&folder).await;

    let made = [
        "keys", "create", "ci", "--budget", "5/month", "--rpm", "600", "--models", "deepseek",
    ];
    let (exit, secret, said) = run(&folder, &made);
    assert_eq!(exit, 0, "{said}");
    let secret = secret.trim().to_owned();
    assert!(secret.starts_with("wp-") && secret.len() == 67, "{secret}");
    let seen = until(serving.addr, &secret, 200).await;
    let leaf = ["keys", "create", "leaf", "--from", "ci", "--json"];
    let (exit, leaf, said) = run(&folder, &leaf);
    assert_eq!(exit, 0, "{said}");
    let leaf: Value = serde_json::from_str(&leaf).unwrap();
    let leaf = leaf["secret"].as_str().unwrap();
    until(serving.addr, leaf, 200).await;

    let (_, listed, _) = run(&folder, &["keys", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["name"], "ci");
    assert_eq!(
        listed[0]["rights"]["budget"],
        json!({"usd": "5", "period": "month"})
    );
    assert_eq!(
        (&listed[1]["from"], &listed[1]["state"]),
        (&json!("ci"), &json!("live"))
    );

    let (exit, _, said) = run(&folder, &["keys", "revoke", "ci"]);
    assert_eq!(exit, 0, "{said}");
    let ended = until(serving.addr, &secret, 401).await;
    assert_eq!(
        status(serving.addr, leaf).await,
        401,
        "it was made from that one"
    );
    println!("a new key is seen after {seen:?}, a revoked one refused after {ended:?}");
    assert!(seen < Duration::from_secs(2) && ended < Duration::from_secs(2));

    refuses_what_cannot_be(&folder);
    drop(serving);
    keeps_names_and_no_secrets(&folder, &secret);
}

fn refuses_what_cannot_be(folder: &Path) {
    for wrong in [
        &["keys", "create", "ci"][..],
        &["keys", "create", "a b"],
        &["keys", "create", "x", "--from", "ci"],
        &["keys", "create", "x", "--models", "nobody-has-this"],
        &["keys", "create", "x", "--strategies", "nobody-has-this"],
        &["keys", "create", "x", "--tags", "a b"],
        &["keys", "revoke", "nobody"],
    ] {
        let (exit, out, said) = run(folder, wrong);
        assert_eq!((exit, out.as_str()), (64, ""), "{wrong:?}: {said}");
    }
}

fn keeps_names_and_no_secrets(folder: &Path, secret: &str) {
    let (_, spent, _) = run(folder, &["spend", "--by", "key", "--json"]);
    let spent: Value = serde_json::from_str(&spent).unwrap();
    let names: Vec<&str> = spent
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| sum["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ci", "leaf"]);
    // The file has hashes only.
    for file in std::fs::read_dir(folder.join("waypost")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = memchr::memmem::find(&bytes, secret.as_bytes());
        assert_eq!(found, None);
    }
}
