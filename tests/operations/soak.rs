//! Streams without end, a tenth of which go wrong: memory does not grow, and every call is accounted for.
//!
//! Ten minutes of five hundred at once, of a release binary:
//! `WAYPOST_SOAK=600 WAYPOST_STREAMS=500 WAYPOST_BINARY=target/release/waypost cargo test --test crowds soak -- --nocapture`

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use waypost::store::sqlite::open_to_read;

use crate::flawed::{Flawed, WORDS};
use crate::house::{Proxy, figures, lab, until};
use crate::many::{ALONE, descriptors, question, resident, size};

/// How calls ended for their clients.
#[derive(Debug, Default)]
struct Ends {
    asked: AtomicUsize,
    whole: AtomicUsize,
    failed: AtomicUsize,
    left: AtomicUsize,
}

/// A question to the flawed one, with the other one behind it.
const ASKED: &str = r#"{"model":"lab/m","fallbacks":["spare/m"],"messages":[{"role":"user","content":"Hello"}],"stream":true}"#;

/// One of so many clients leaves in the middle of its answer.
const LEAVES: usize = 50;

/// Asks until the time is over. An answer is whole, or it says that it is not.
async fn client(addr: SocketAddr, until: Instant, ends: Arc<Ends>) {
    let words: Vec<_> = (0..WORDS).map(|word| format!("word{word} ")).collect();
    let expected = words.concat();
    while Instant::now() < until {
        let number = ends.asked.fetch_add(1, Ordering::Relaxed);
        let mut line = TcpStream::connect(addr).await.unwrap();
        line.write_all(question(ASKED).as_bytes()).await.unwrap();
        let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
        let leaves = number % LEAVES == LEAVES / 2;
        let left = loop {
            match line.read(&mut part).await {
                Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
                _ => break false,
            }
            if leaves && bytes.len() > 2_000 {
                break true;
            }
            if bytes.ends_with(b"0\r\n\r\n") {
                break false;
            }
        };
        if left {
            ends.left.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let answer = String::from_utf8(bytes).unwrap();
        let end = if said(&answer) == expected && answer.contains("data: [DONE]") {
            &ends.whole
        } else {
            assert!(!answer.contains("[DONE]"), "a part told as all: {answer}");
            assert!(answer.contains("\"error\""), "no error is told: {answer}");
            &ends.failed
        };
        end.fetch_add(1, Ordering::Relaxed);
    }
}

/// The text of an answer.
fn said(answer: &str) -> String {
    let words = answer.split("\"content\":\"").skip(1);
    words
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect()
}

/// Bytes that each second adds, by the straight line that fits best.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = f64::from(u32::try_from(samples.len()).unwrap());
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (at, bytes) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let both: f64 = samples.iter().map(|(x, y)| (x - at) * (y - bytes)).sum();
    both / samples.iter().map(|(x, _)| (x - at).powi(2)).sum::<f64>()
}

/// Resident bytes, twice a second until the time is over.
async fn watch(id: u32, until: Instant) -> Vec<(f64, f64)> {
    let (began, mut samples) = (Instant::now(), Vec::new());
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mebibytes = f64::from(u32::try_from(resident(id) >> 10).unwrap()) / 1024.0;
        samples.push((began.elapsed().as_secs_f64(), mebibytes));
    }
    samples
}

/// Rows of a table by outcome.
fn rows(proxy: &Proxy, table: &str) -> BTreeMap<String, usize> {
    let ledger = open_to_read(&proxy.folder.join("waypost/waypost.db")).unwrap();
    let text = format!("SELECT outcome, count(*) FROM {table} GROUP BY 1");
    let mut rows = ledger.prepare(&text).unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The sum of a figure over its labels.
fn sum(page: &BTreeMap<String, f64>, name: &str) -> f64 {
    let of = |key: &&String| key.split('{').next() == Some(name);
    page.keys().filter(of).map(|key| page[key]).sum()
}

/// Two providers, one of which is flawed; the other one says the same words.
async fn providers(pace: Duration) -> ([Flawed; 2], String) {
    let both = [Flawed::start(pace, 10).await, Flawed::start(pace, 0).await];
    let spare = lab(&both[1].url).replace("lab", "spare");
    let config = format!(
        "{}{spare}[resilience]\nttft_timeout = \"2s\"\nstall_timeout = \"2s\"\n",
        lab(&both[0].url)
    );
    (both, config)
}

/// A while of many streams at once, a tenth of which go wrong at their provider.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat_and_every_call_is_accounted_for() {
    let (seconds, streams) = (size("WAYPOST_SOAK", 8), size("WAYPOST_STREAMS", 50));
    let _alone = ALONE.lock().await;
    let pace = Duration::from_millis(if streams > 100 { 200 } else { 30 });
    let (both, config) = providers(pace).await;
    let mut proxy = Proxy::start_by("ulimit -n 8192; RUST_LOG=warn", &config).await;
    let page = async |proxy: &Proxy| figures(&proxy.get("/metrics").await.text());
    let (files, tasks) = (descriptors(proxy.id()), page(&proxy).await["waypost_tasks"]);
    let over = Instant::now() + Duration::from_secs(u64::from(seconds));
    let ends = Arc::new(Ends::default());
    let clients: Vec<_> = (0..streams)
        .map(|_| tokio::spawn(client(proxy.addr, over, Arc::clone(&ends))))
        .collect();
    let samples = watch(proxy.id(), over).await;
    for client in clients {
        client.await.unwrap();
    }
    until("all is settled", async || {
        let page = page(&proxy).await;
        page["waypost_requests_in_flight"] == 0.0
            && page["waypost_ledger_pending"] == 0.0
            && page["waypost_connections"] == 1.0
    })
    .await;
    let last = page(&proxy).await;
    both.iter().for_each(Flawed::hang_up);
    until("no connection is left", async || {
        page(&proxy).await["waypost_tasks"] <= tasks + 8.0 && descriptors(proxy.id()) <= files + 8
    })
    .await;
    let tasks_after = page(&proxy).await["waypost_tasks"];
    let (seen, files_after) = (both[0].seen() + both[1].seen(), descriptors(proxy.id()));
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());

    let (attempts, calls) = (rows(&proxy, "attempts"), rows(&proxy, "calls"));
    let wrong = both[0].wrong();
    println!(
        "{ends:?}; {wrong} answers went wrong; providers saw {seen}; rows of attempts {attempts:?}, of calls {calls:?}"
    );
    let flat = &samples[samples.len() / 3..];
    let (low, high) = flat.iter().fold((f64::MAX, 0_f64), |(low, high), (_, y)| {
        (low.min(*y), high.max(*y))
    });
    let slope = slope(flat) * 60.0;
    println!(
        "{seconds} s of {streams} streams: {low:.1} to {high:.1} MiB, {slope:+.3} MiB a minute; \
         tasks {tasks} before, {tasks_after} after; descriptors {files} before, {files_after} after"
    );
    let asked = ends.asked.load(Ordering::Relaxed);
    assert!(wrong * 12 > asked, "a tenth goes wrong: {wrong} of {asked}");
    accounted(&ends, (&attempts, &calls), &last, seen);
    let open = std::fs::metadata(proxy.folder.join("waypost/waypost.db-open-0")).unwrap();
    assert_eq!(open.len(), 0, "nothing is open");
    // A short run says little of a slope: its receipts are not full yet.
    assert!(
        slope * (f64::from(seconds) / 60.0) < 8.0,
        "{slope} MiB a minute"
    );
}

/// Clients, figures and rows agree, and whatever the providers saw has a row.
fn accounted(
    ends: &Ends,
    (attempts, calls): (&BTreeMap<String, usize>, &BTreeMap<String, usize>),
    last: &BTreeMap<String, f64>,
    seen: usize,
) {
    let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    let float = |count: usize| f64::from(u32::try_from(count).unwrap());
    let asked = read(&ends.asked);
    let ended = read(&ends.whole) + read(&ends.failed) + read(&ends.left);
    assert_eq!(asked, ended);
    assert!(
        read(&ends.whole) * 10 > asked * 9,
        "most are whole: {ends:?}"
    );
    assert_eq!(calls.values().sum::<usize>(), asked, "rows of calls");
    assert_eq!(sum(last, "waypost_requests_total"), float(asked));
    let sent = attempts.values().sum::<usize>();
    assert_eq!(
        sum(last, "waypost_attempts_total"),
        float(sent),
        "rows of attempts"
    );
    assert!(seen <= sent, "{seen} seen, {sent} rows");
    for bad in ["lost", "unknown", "panic"] {
        assert!(!attempts.contains_key(bad), "{attempts:?}");
    }
}
