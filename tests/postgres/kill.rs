//! `kill -9` of the proxy under load: what the provider saw is in PostgreSQL once.
//!
//! `WAYPOST_KILLS=200 cargo test --test postgres` runs as many rounds.

use std::thread;
use std::time::{Duration, Instant};

use crate::away::rows;
use crate::house::{Provider, folder, killed_under_load, start};
use crate::server::{Server, configure};

#[test]
fn whatever_the_provider_saw_arrives_once_after_any_kill() {
    let Some(server) = Server::start() else {
        return;
    };
    let rounds = std::env::var("WAYPOST_KILLS").map_or(6, |rounds| rounds.parse().unwrap());
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    for round in 0..rounds {
        killed_under_load(&folder, round, fastrand::u64(100..900));
    }
    // What was on its way to the provider is read by then.
    thread::sleep(Duration::from_millis(50));
    let seen = provider.seen();
    let mut last = start(&folder);
    let began = Instant::now();
    loop {
        let rows = rows(&server);
        let twice: Vec<_> = rows.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let missing = seen
            .iter()
            .filter(|model| !rows.contains_key(*model))
            .count();
        if missing == 0 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{missing} are missing"
        );
        thread::sleep(Duration::from_millis(100));
    }
    last.child.kill().unwrap();
    last.child.wait().unwrap();
    assert!(seen.len() > rounds, "hardly anything was sent");
    println!("{rounds} kills, {} requests seen", seen.len());
}
