//! Many at once: slow heads, clients that read nothing, clients that come and go. What they cost is bounded, and nothing
//! of them is left.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Mutex;

use crate::house::{
    CHAT, Proxy, STREAMED, WHOLE, figure, lab, provider, until, until_within, whole,
};

/// Each crowd has the machine to itself, so that what is measured is its own.
pub(crate) static ALONE: Mutex<()> = Mutex::const_new(());

/// How large a run is: by a variable, or small.
pub(crate) fn size(variable: &str, small: u32) -> u32 {
    std::env::var(variable).map_or(small, |size| size.parse().unwrap())
}

/// Bytes of memory that are resident.
pub(crate) fn resident(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Sends its head a byte a second, until it is let go; says when that was.
async fn drip(mut line: TcpStream, at: u64) -> Duration {
    line.write_all(b"POST /v1/chat").await.unwrap();
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(at % 1000)).await;
    while line.write_all(b"x").await.is_ok() {
        let wait = tokio::time::timeout(Duration::from_secs(1), line.read(&mut [0; 64])).await;
        if matches!(wait, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    began.elapsed()
}

/// Two thousand clients that drip their heads: each is let go when its time is over, honest ones hardly notice, and
/// each costs little.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_slow_heads_harm_nobody() {
    let _alone = ALONE.lock().await;
    let replay = provider(whole("hello")).await;
    let config = format!(
        "{}[limits]\nheader_timeout = \"4s\"\n",
        lab(&replay.url("lab"))
    );
    let proxy = Proxy::start_by("ulimit -n 8192;", &config).await;
    let slowest = async |times: u32| {
        let mut all = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            assert_eq!(proxy.get("/healthz").await.status, 200);
            all.push(began.elapsed());
        }
        all.sort_unstable();
        all[all.len() * 95 / 100]
    };
    let alone = slowest(100).await;
    let before = resident(proxy.id());
    // One after the other: where the queue at the door is full, the rest come again seconds later, when the first are
    // let go already.
    let mut lines = Vec::new();
    for _ in 0..2_000 {
        lines.push(TcpStream::connect(proxy.addr).await.unwrap());
    }
    let drips: Vec<_> = (0..2_000)
        .zip(lines)
        .map(|(at, line)| tokio::spawn(drip(line, at)))
        .collect();
    until("all are open", async || {
        figure(&proxy, "waypost_connections").await >= 1_900.0
    })
    .await;
    let each = resident(proxy.id()).saturating_sub(before) / 2_000;
    let beside = slowest(100).await;
    for drip in drips {
        let took = drip.await.unwrap();
        assert!(took < Duration::from_secs(9), "{took:?}");
    }
    assert_eq!(
        figure(&proxy, "waypost_connections").await,
        1.0,
        "only the one that asks"
    );
    println!("{each} bytes for each slow head; honest p95 {alone:?} alone, {beside:?} beside them");
    assert!(each < 32 << 10, "{each} bytes each");
    assert!(
        beside < (alone * 2).max(Duration::from_millis(20)),
        "{alone:?} alone, {beside:?} beside them"
    );
}

/// How many descriptors a process has open.
pub(crate) fn descriptors(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

pub(crate) fn question(body: &str) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A provider whose streams never end; it writes as fast as it is read.
fn gushing() -> String {
    // Its buffers are small: what is measured is held by the proxy.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(65_536).unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1_024).unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let word = "x".repeat(4000);
    let event = format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\
         \"delta\":{{\"content\":\"{word}\"}},\"finish_reason\":null}}]}}\n\n"
    );
    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let chunk = chunk.clone();
            tokio::spawn(async move {
                let _ = line.read(&mut [0; 8192]).await;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut written = line.write_all(head.as_bytes()).await;
                while written.is_ok() {
                    written = line.write_all(chunk.as_bytes()).await;
                }
            });
        }
    });
    url
}

/// Clients that read nothing of endless streams: what is held for each is bounded, and all is given back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_nobody_reads_hold_little() {
    let many = size("WAYPOST_DEAF", 300);
    // They are all there before the first is let go.
    let patience = 8 + u64::from(many) / 100;
    let _alone = ALONE.lock().await;
    let config = format!(
        "{}[limits]\nwrite_stall = \"{patience}s\"\nin_flight = {}\n",
        lab(&gushing()),
        many * 2
    );
    let room = format!("ulimit -n {};", (many * 5 / 2).max(4_096));
    let proxy = Proxy::start_by(&room, &config).await;
    let before = resident(proxy.id());
    let mut deaf = Vec::new();
    for _ in 0..many {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut line = socket.connect(proxy.addr).await.unwrap();
        line.write_all(question(STREAMED).as_bytes()).await.unwrap();
        deaf.push(line);
    }
    let in_flight = "waypost_requests_in_flight";
    let (soon, nearly) = (Duration::from_secs(20 + 3 * patience), many - many / 30);
    until_within(soon, "all are open", async || {
        figure(&proxy, in_flight).await >= f64::from(nearly)
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let all = resident(proxy.id()).saturating_sub(before);
    let each = all / u64::from(many);
    println!("{each} bytes for each of {many} streams that nobody reads, {all} for all");
    assert!(each < 256 << 10, "{each} bytes are held for each");
    until_within(soon, "all are let go", async || {
        figure(&proxy, in_flight).await == 0.0
    })
    .await;
    drop(deaf);
}

/// Clients that come and go, in every state of a call: no task, no descriptor and no byte of theirs stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_those_who_come_and_go() {
    let _alone = ALONE.lock().await;
    let replay = provider(whole("hello")).await;
    let proxy = Proxy::start(&lab(&replay.url("lab"))).await;
    let addr = proxy.addr;
    let whole = question(WHOLE);
    let cycle = async |rounds: usize| {
        for round in 0..rounds {
            let mut line = TcpStream::connect(addr).await.unwrap();
            let bytes = whole.as_bytes();
            // Nothing, a part of the head, a part of the body, all of it.
            let part = [0, 20, bytes.len() - 10, bytes.len()][round % 4];
            let _ = line.write_all(&bytes[..part]).await;
            if round % 8 == 7 {
                let _ = line.read(&mut [0; 16]).await;
            }
        }
    };
    let idle = async || {
        let connections = async || figure(&proxy, "waypost_connections").await == 1.0;
        until("all are gone", connections).await;
        until("no call is left", async || {
            figure(&proxy, "waypost_requests_in_flight").await == 0.0
        })
        .await;
    };
    cycle(3_000).await;
    idle().await;
    let (files, memory) = (descriptors(proxy.id()), resident(proxy.id()));
    cycle(12_000).await;
    idle().await;
    let grown = resident(proxy.id()).saturating_sub(memory);
    assert!(descriptors(proxy.id()) <= files + 8, "{files} before");
    println!("{grown} bytes more after 12,000 clients");
    // The receipts of their calls are kept, up to a bound.
    assert!(grown < 8 << 20, "{grown} bytes more");
    assert_eq!(figure(&proxy, "waypost_request_body_bytes").await, 0.0);
}
