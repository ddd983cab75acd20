//! How long a restart takes on a great ledger, after a kill.

use std::time::Duration;

use rusqlite::params;
use waypost::account::CallId;

use crate::house::{Provider, call, folder, ledger, start};

#[test]
#[ignore = "writes a million rows; run with --ignored --nocapture to see the time"]
fn a_restart_on_a_million_rows_takes_less_than_two_seconds() {
    let provider = Provider::start();
    let folder = folder(&provider);
    let path = ledger(&folder);
    let mut connection = waypost::store::sqlite::open(&path).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    let all = connection.transaction().unwrap();
    for number in 0..1_000_000_u64 {
        let at = now - 1_000_000 + number;
        let call = CallId::new(at, u128::from(number)).bytes();
        let mut put = all.prepare_cached(
            "INSERT INTO attempts (call, attempt, at, provider, model, reason, outcome, cost, latency_ms)
             VALUES (?1, 1, ?2, 'p', 'a-model-of-usual-length', 'forced', 'answered', 12345, 900)").unwrap();
        put.execute(params![call, i64::try_from(at).unwrap()])
            .unwrap();
    }
    all.commit().unwrap();
    drop(connection);
    let mut proxy = start(&folder);
    call(proxy.addr, "one").unwrap();
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    let mut again = start(&folder);
    println!("restart after a kill, 1,000,000 rows: {:?}", again.began);
    again.child.kill().unwrap();
    again.child.wait().unwrap();
    assert!(again.began < Duration::from_secs(2), "{:?}", again.began);
}
