//! Calls that end in every way: each leaves its rows, and nothing stays open.
//!
//! `WAYPOST_WAYS=10000 cargo test --test ledger` runs as many calls.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;

use waypost::store::sqlite::open_to_read;

use crate::house::{Provider, call, folder, hang_up, ledger, start};

const CLIENTS: usize = 8;

/// Runs calls of every kind, some at once.
fn run(addr: SocketAddr, calls: usize) {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            thread::spawn(move || {
                for number in (client..calls).step_by(CLIENTS) {
                    match number / CLIENTS % 5 {
                        0 => drop(call(addr, &format!("refused-{number}"))),
                        1 => drop(call(addr, &format!("gone-{number}"))),
                        2 => drop(call(addr, &format!("short-{number}"))),
                        3 => hang_up(addr, &format!("left-{number}")),
                        _ => assert_eq!(call(addr, &format!("ok-{number}")).unwrap().0, 200),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
}

/// How many attempts of each kind have a row. Each row must tell how it ended, and belong to a call that has one.
fn rows(ledger: &Path) -> HashMap<String, u32> {
    let connection = open_to_read(ledger).unwrap();
    let mut all = connection
        .prepare(
            "SELECT substr(a.model, 1, instr(a.model, '-') - 1), a.outcome, count(*), count(c.call)
                  FROM attempts a LEFT JOIN calls c USING (call) GROUP BY 1, 2",
        )
        .unwrap();
    let rows = all.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, u32>(2)?,
            row.get::<_, u32>(3)?,
        ))
    });
    let mut attempts: HashMap<String, u32> = HashMap::new();
    for row in rows.unwrap() {
        let (way, outcome, count, of_calls) = row.unwrap();
        assert_eq!(count, of_calls, "{way} {outcome}: a call without its row");
        assert!(
            !["lost", "unknown", "panic"].contains(&outcome.as_str()),
            "{way}: {outcome}"
        );
        assert_eq!(
            way == "ok",
            outcome == "answered" && way != "left",
            "{way}: {outcome}"
        );
        *attempts.entry(way).or_default() += count;
    }
    attempts
}

#[test]
fn calls_that_end_in_every_way_leave_their_rows_and_nothing_open() {
    let calls = std::env::var("WAYPOST_WAYS").map_or(400, |calls| calls.parse().unwrap());
    let provider = Provider::start();
    let folder = folder(&provider);
    let mut proxy = start(&folder);
    let addr = proxy.addr;
    run(addr, calls);
    // The last calls run while the proxy is told to stop: they end within it.
    let term = Command::new("kill")
        .arg(proxy.child.id().to_string())
        .status();
    assert!(term.unwrap().success());
    assert!(proxy.child.wait().unwrap().success());

    let attempts = rows(&ledger(&folder));
    for way in ["refused", "gone", "short", "ok"] {
        assert!(
            attempts
                .get(way)
                .is_some_and(|count| *count as usize >= calls / 5),
            "{attempts:?}"
        );
    }
    let seen = provider.seen();
    let left = seen
        .iter()
        .filter(|model| model.starts_with("left"))
        .count();
    assert!(
        attempts
            .get("left")
            .is_some_and(|count| *count as usize >= left),
        "{attempts:?}"
    );
    let open = std::fs::metadata(folder.join("waypost/waypost.db-open-0"))
        .unwrap()
        .len();
    assert_eq!(open, 0, "nothing is open");
    println!("{calls} calls: {attempts:?}");
}
