//! PostgreSQL is stopped and started under load: nothing is lost, nothing comes twice, and no call notices.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::house::{Provider, Proxy, call, folder, start};
use crate::nodes::ATTEMPTS;
use crate::server::{Server, configure};

/// Calls until told otherwise; gives back how many were answered and the longest wait.
fn load(proxy: &Proxy, over: &Arc<AtomicBool>) -> Vec<thread::JoinHandle<(usize, Duration)>> {
    let one = |client: usize| {
        let (over, addr) = (Arc::clone(over), proxy.addr);
        thread::spawn(move || {
            let (mut number, mut longest) = (0, Duration::ZERO);
            while !over.load(Ordering::Relaxed) {
                let began = Instant::now();
                let (status, answer) = call(addr, &format!("{client}-{number}")).unwrap();
                assert_eq!(status, 200, "{answer}");
                longest = longest.max(began.elapsed());
                number += 1;
            }
            (number, longest)
        })
    };
    (0..4).map(one).collect()
}

/// How often each model has a row.
pub(crate) fn rows(server: &Server) -> HashMap<String, i64> {
    let text = "SELECT model, count(*) FROM waypost_attempts GROUP BY model";
    let rows = server.query(text).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn postgresql_may_crash_and_come_back_under_load() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    let mut proxy = start(&folder);
    let over = Arc::new(AtomicBool::new(false));
    let clients = load(&proxy, &over);
    let mut crashes = 0;
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(fastrand::u64(200..900)));
        server.crash();
        crashes += 1;
        thread::sleep(Duration::from_millis(fastrand::u64(100..900)));
        server.go();
    }
    over.store(true, Ordering::Relaxed);
    let ended = clients.into_iter().map(|client| client.join().unwrap());
    let (answered, longest) = ended.fold((0, Duration::ZERO), |(all, longest), (some, wait)| {
        (all + some, longest.max(wait))
    });
    let seen = provider.seen();
    assert_eq!(seen.len(), answered);
    server.until(ATTEMPTS, i64::try_from(answered).unwrap());
    let rows = rows(&server);
    for model in &seen {
        assert_eq!(rows.get(model), Some(&1), "{model}");
    }
    // A call takes up to 30 ms here; none may wait for PostgreSQL, whose timers are seconds.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    println!("{crashes} crashes, {answered} calls, the longest took {longest:?}");
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
}

#[test]
fn a_node_starts_without_postgresql_and_tells_no_password() {
    let Some(mut server) = Server::start() else {
        return;
    };
    server.crash();
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    let mut proxy = start(&folder);
    assert!(proxy.began < Duration::from_secs(2), "{:?}", proxy.began);
    for number in 0..20 {
        assert_eq!(call(proxy.addr, &format!("a-{number}")).unwrap().0, 200);
    }
    // A second life with the same rows to send.
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    let mut proxy = start(&folder);
    server.go();
    server.until(ATTEMPTS, 20);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("PostgreSQL takes no rows"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn a_row_that_postgresql_never_takes_holds_up_no_other() {
    let Some(server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    let mut proxy = start(&folder);
    server.until(ATTEMPTS, 0);
    let check = "ALTER TABLE waypost_attempts ADD CHECK (model <> 'bad-7')";
    assert!(server.query(check).is_some());
    for number in 0..20 {
        call(proxy.addr, &format!("good-{number}")).unwrap();
        call(proxy.addr, &format!("bad-{number}")).unwrap();
    }
    server.until(ATTEMPTS, 39);
    server.until("SELECT count(*) FROM waypost_calls", 40);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert_eq!(log.matches("a row is not taken").count(), 1, "{log}");
}

#[test]
fn what_is_under_way_is_told_and_over_once_it_has_ended() {
    let Some(server) = Server::start() else {
        return;
    };
    let provider = Provider::start();
    let folder = folder(&provider);
    configure(&folder, &server.url());
    let mut proxy = start(&folder);
    let addr = proxy.addr;
    server.until("SELECT count(*) FROM waypost_open", 0);
    let slow = thread::spawn(move || call(addr, "slow-1"));
    server.until(
        "SELECT count(*) FROM waypost_open WHERE model = 'slow-1'",
        1,
    );
    assert_eq!(slow.join().unwrap().unwrap().0, 200);
    server.until("SELECT count(*) FROM waypost_open", 0);
    server.until(ATTEMPTS, 1);
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
}
