//! Exhaustion of what is outside: a log that nobody reads, memory that huge bodies fill, ports that run out.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::house::{CHAT, Proxy, WHOLE, figure, lab, provider, until, whole};
use crate::support;

/// Errors without end, and nobody reads the log: calls do not wait for it, nor does the end.
#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_wait_for_a_log_that_nobody_reads() {
    let many = std::env::var("WAYPOST_ERRORS").map_or(4_000, |many| many.parse().unwrap());
    let replay = provider(whole("hello")).await;
    let unread = "mkfifo pipe; exec 3<>pipe; exec 2>pipe;";
    let mut proxy = Proxy::start_by(unread, &lab(&replay.url("lab"))).await;
    let (addr, began) = (proxy.addr, Instant::now());
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut line = TcpStream::connect(addr).await.unwrap();
                let wrong = format!(
                    "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{{"
                );
                let (mut slowest, mut part) = (Duration::ZERO, [0; 4096]);
                for _ in 0..many / 8 {
                    let began = Instant::now();
                    line.write_all(wrong.as_bytes()).await.unwrap();
                    let read = line.read(&mut part).await.unwrap();
                    assert!(part[..read].starts_with(b"HTTP/1.1 400"));
                    slowest = slowest.max(began.elapsed());
                }
                slowest
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for client in clients {
        slowest = slowest.max(client.await.unwrap());
    }
    let took = began.elapsed();
    assert!(
        slowest < Duration::from_secs(2),
        "{slowest:?} for one of {many} in {took:?}"
    );
    assert_eq!(proxy.ask(WHOLE).await.status, 200);
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());
}

/// Huge bodies fill what memory there is for them; small ones still find theirs, as quickly as ever.
#[tokio::test(flavor = "multi_thread")]
async fn huge_bodies_leave_room_for_small_ones() {
    let replay = provider(whole("hello")).await;
    let limits = "[limits]\nbodies = \"16MiB\"\nbody = \"8MiB\"\n";
    let proxy = Proxy::start(&format!("{}{limits}", lab(&replay.url("lab")))).await;
    let huge = async || {
        let mut line = TcpStream::connect(proxy.addr).await.unwrap();
        let length = 4 << 20;
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{{"
        );
        line.write_all(head.as_bytes()).await.unwrap();
        line
    };
    let alone = slowest(&proxy).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(huge().await);
    }
    let bodies = "waypost_request_body_bytes";
    until("they hold what they may", async || {
        figure(&proxy, bodies).await >= f64::from(12 << 20)
    })
    .await;
    // A fourth would leave nothing to anybody.
    let mut refused = huge().await;
    let mut answer = [0; 4096];
    let read = refused.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("overloaded"),
        "{answer}"
    );
    let beside = slowest(&proxy).await;
    assert!(
        beside < (alone * 2).max(Duration::from_millis(50)),
        "{alone:?} alone, {beside:?} beside them"
    );
}

/// The slowest but five of a hundred small calls, all of which are answered.
async fn slowest(proxy: &Proxy) -> Duration {
    let mut all = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        let reply = proxy.ask(WHOLE).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        all.push(began.elapsed());
    }
    all.sort_unstable();
    all[94]
}

/// The variable that says that this is the inner run, in a network of its own.
const INNER: &str = "WAYPOST_FEW_PORTS";

/// Ports towards a provider run out: whoever comes then is told so at once, and it heals. It needs a network of its own
/// with few ports, and says where it cannot have one.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so aloud")]
fn without_a_port_towards_a_provider_calls_are_refused_at_once() {
    if std::env::var_os(INNER).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        return runtime.unwrap().block_on(few_ports());
    }
    let line = "ip link set lo up && echo 40000 40009 > /proc/sys/net/ipv4/ip_local_port_range && \
                exec \"$0\" --exact spent::without_a_port_towards_a_provider_calls_are_refused_at_once --nocapture";
    let able = Command::new("unshare")
        .args(["-rn", "ip", "link", "set", "lo", "up"])
        .status();
    if !able.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no network of its own can be made here");
        return;
    }
    let inner = Command::new("unshare")
        .args(["-rn", "sh", "-c", line])
        .arg(std::env::current_exe().unwrap())
        .env(INNER, "1")
        .status();
    assert!(inner.unwrap().success());
}

/// A call from a port that is none of the few.
async fn from(port: u16, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], port)))
        .unwrap();
    let mut line = socket.connect(to).await.unwrap();
    let question = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{WHOLE}",
        WHOLE.len()
    );
    line.write_all(question.as_bytes()).await.unwrap();
    line
}

async fn few_ports() {
    let provider = TcpListener::bind("127.0.0.1:30000").await.unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((line, _)) = provider.accept().await {
            held.push(line);
        }
    });
    let config = format!(
        "{}[resilience]\nretries = 0\n",
        lab("http://127.0.0.1:30000/v1")
    );
    let proxy = Proxy::start(&config).await;
    let mut waiting = Vec::new();
    for port in 50_000..50_010 {
        waiting.push(from(port, proxy.addr).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for port in 50_010..50_015 {
        let began = Instant::now();
        let mut answer = String::new();
        from(port, proxy.addr)
            .await
            .read_to_string(&mut answer)
            .await
            .unwrap();
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(
            answer.contains("no port or file descriptor left"),
            "{answer}"
        );
        assert!(answer.contains("\"overloaded\""), "{answer}");
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
    }
    drop(waiting);
    let health = support::get(proxy.addr, "/healthz", &[]).await;
    assert_eq!(health.status, 200);
}
