//! Two proxies, one Redis: a budget and its limits hold over both.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use waypost::store::counters::WhenAway;

use crate::house::{Provider, Proxy, call_as, folder, start};
use crate::server::{Disk, Server, settled};

const KEY: &str = "mine-canary-that-nobody-guesses-ever";

/// A call costs two tokens of output, 0.002 USD, and can cost no more.
fn configure(provider: &Provider, server: &Server, key: &str) -> PathBuf {
    let folder = folder(provider);
    let file = folder.join("waypost.toml");
    let providers = std::fs::read_to_string(&file).unwrap();
    let text = format!(
        "auth = \"keys\"\n{providers}\n[[models]]\nid = \"mock/m\"\nmax_output = 2\nprice = {{ input = 0.0, output = 1000.0 }}\n\
         [state]\nurl = \"{}\"\n[[keys]]\nname = \"ci\"\nsecret = \"{KEY}\"\n{key}\n",
        server.url()
    );
    std::fs::write(file, text).unwrap();
    folder
}

fn end(proxies: [Proxy; 2]) {
    for mut proxy in proxies {
        let term = std::process::Command::new("kill")
            .arg(proxy.child.id().to_string())
            .status();
        assert!(term.unwrap().success());
        assert!(proxy.child.wait().unwrap().success());
    }
}

/// So many calls over both; how many were answered, and how many were refused for want of money.
fn calls(proxies: &[Proxy; 2], many: usize) -> (u32, u32) {
    let (answered, refused) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let clients: Vec<_> = (0..many)
        .map(|n| {
            let (addr, answered, refused) = (
                proxies[n % 2].addr,
                Arc::clone(&answered),
                Arc::clone(&refused),
            );
            let client = thread::Builder::new().stack_size(64 << 10);
            let run = move || {
                let (status, answer) = call_as(addr, "m", KEY).unwrap();
                if status == 200 {
                    answered.fetch_add(1, Ordering::Relaxed);
                } else {
                    assert!(
                        status == 429 && answer.contains("insufficient_quota"),
                        "{answer}"
                    );
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            };
            client.spawn(run).unwrap()
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    (
        answered.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_calls_over_two_processes_a_hundred_are_answered() {
    let Some(mut server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let provider = Provider::start();
    let key = "budget = { usd = 0.2, period = \"total\" }";
    let folders = [(); 2].map(|()| configure(&provider, &server, key));
    let proxies = folders.each_ref().map(|folder| start(folder));
    // A server that has just come up waits for all nodes before it lets anybody take.
    settled(&server.node_that(WhenAway::Refuse, WhenAway::Refuse)).await;
    assert_eq!(calls(&proxies, 1_000), (100, 900));
    assert_eq!(provider.seen().len(), 100);
    let node = server.node().await;
    let spent = crate::server::state(&node, "key:ci").await;
    assert_eq!(spent, (200_000_000, 0));

    server.crash();
    let (status, answer) = call_as(proxies[0].addr, "m", KEY).unwrap();
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("x-should-retry: true"), "{answer}");
    assert!(!answer.contains("canary"), "{answer}");
    assert_eq!(provider.seen().len(), 100);
    server.go().await;
    settled(&node).await;
    // It had lost everything, and knows again that the budget is spent.
    let (status, answer) = call_as(proxies[1].addr, "m", KEY).unwrap();
    assert!(
        status == 429 && answer.contains("insufficient_quota"),
        "{answer}"
    );
    end(proxies);
    for folder in folders {
        let log = std::fs::read_to_string(folder.join("log")).unwrap();
        assert!(!log.contains("canary"), "{log}");
    }
}
