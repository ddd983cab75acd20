//! `kill -9` at random moments under load: whatever the provider saw has a row, and none has two.
//!
//! `WAYPOST_KILLS=200 cargo test --test ledger` runs as many rounds.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use waypost::store::sqlite::open_to_read;

use crate::house::{Provider, call, folder, get_by, killed_under_load, ledger, start};

/// How often each model has a row.
fn rows(folder: &Path) -> HashMap<String, u32> {
    let connection = open_to_read(&ledger(folder)).unwrap();
    let mut all = connection
        .prepare("SELECT model, count(*) FROM attempts GROUP BY model")
        .unwrap();
    let found = all
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    found.map(Result::unwrap).collect()
}

#[test]
fn whatever_the_provider_saw_has_one_row_after_any_kill() {
    let rounds = std::env::var("WAYPOST_KILLS").map_or(8, |rounds| rounds.parse().unwrap());
    let provider = Provider::start();
    let folder = folder(&provider);
    let mut unknown_at_last = 0;
    for round in 0..rounds {
        killed_under_load(&folder, round, fastrand::u64(20..400));
        // What was on its way to the provider is read by then.
        thread::sleep(Duration::from_millis(50));
        let seen = provider.seen();
        let mut again = start(&folder);
        let rows = rows(&folder);
        for model in &seen {
            assert_eq!(rows.get(model), Some(&1), "{model} in round {round}");
        }
        let twice: Vec<_> = rows.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "{twice:?}");
        again.child.kill().unwrap();
        again.child.wait().unwrap();
        unknown_at_last = seen.len();
    }
    assert!(unknown_at_last > 0, "nothing was sent at all");
    println!("{rounds} kills, {unknown_at_last} requests seen");
}

#[test]
fn a_stop_leaves_every_call_settled_and_sums_are_read_while_it_serves() {
    let provider = Provider::start();
    let folder = folder(&provider);
    let mut proxy = start(&folder);
    for number in 0..20 {
        let (status, _) = call(proxy.addr, &format!("s-{number}")).unwrap();
        assert_eq!(status, 200);
    }
    // Rows are committed at most 80 ms after their calls.
    thread::sleep(Duration::from_millis(500));
    let told = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(["spend", "--by", "provider", "--json", "--config"])
        .arg(folder.join("waypost.toml"))
        .env("XDG_STATE_HOME", &folder)
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told[0]["name"], "mock");
    assert_eq!(told[0]["attempts"], 20);
    assert_eq!(told[0]["prompt_tokens"], 200);
    let (_, answer) = call(proxy.addr, "last").unwrap();
    let id = answer
        .split("x-request-id: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap()
        .to_owned();
    let term = Command::new("kill")
        .arg(proxy.child.id().to_string())
        .status()
        .unwrap();
    assert!(term.success());
    assert!(proxy.child.wait().unwrap().success());
    assert_eq!(rows(&folder).len(), 21);
    let left = std::fs::metadata(folder.join("waypost/waypost.db-open-0"))
        .unwrap()
        .len();
    assert_eq!(left, 0, "nothing is open after a clean stop");
    let bytes = std::fs::read(ledger(&folder)).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("canary"), "no prompt and no key is in it");

    let mut again = start(&folder);
    let path = format!("/v1/receipts/{id}");
    for other in ["", "authorization: Bearer another\r\n"] {
        assert_eq!(get_by(again.addr, &path, other).unwrap().0, 404);
    }
    let mine = "authorization: Bearer mine-canary\r\n";
    let (status, receipt) = get_by(again.addr, &path, mine).unwrap();
    assert_eq!(status, 200, "{receipt}");
    assert!(
        receipt.contains("\"from\":\"ledger\"") && receipt.contains("\"model\":\"last\""),
        "{receipt}"
    );
    again.child.kill().unwrap();
    again.child.wait().unwrap();
}
