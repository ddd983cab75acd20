//! Clients that leave in every state of a call: no task, no descriptor and no byte of theirs stays.
//!
//! A hundred thousand of them, with a release binary:
//! `WAYPOST_LEAVE=100000 WAYPOST_BINARY=target/release/waypost cargo test --test crowds leave -- --nocapture`

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost::fixture::{Answer, End, Exchange, Pace, Replay};

use crate::house::{CHAT, Proxy, figure, figures, lab, stream, until_within, whole};
use crate::many::{ALONE, descriptors, resident, size};

/// Where a call stands when its client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connected,
    InItsHead,
    BeforeItsBody,
    InItsBody,
    Sent,
    WaitingForTheHead,
    BetweenAttempts,
    BetweenEvents,
    BesideHelp,
    AfterTheFirstBytes,
    AfterSomeEvents,
    InTheRescue,
    Answered,
    AnsweredTwice,
}

const STATES: [State; 14] = [
    State::Connected,
    State::InItsHead,
    State::BeforeItsBody,
    State::InItsBody,
    State::Sent,
    State::WaitingForTheHead,
    State::BetweenAttempts,
    State::BetweenEvents,
    State::BesideHelp,
    State::AfterTheFirstBytes,
    State::AfterSomeEvents,
    State::InTheRescue,
    State::Answered,
    State::AnsweredTwice,
];

/// How the connection ends: as a program that ends would, or as a machine that was switched off.
#[derive(Clone, Copy, Debug)]
enum Goodbye {
    Said,
    Unsaid,
}

/// Clients at once.
const AT_ONCE: usize = 16;

/// A question to a provider, with a header line where one is needed.
fn asking(provider: &str, streamed: &str, line: &str) -> String {
    let body = format!(
        r#"{{"model":"{provider}/m","fallbacks":["streams/m"],"messages":[{{"role":"user","content":"Hello"}}],"stream":{streamed}}}"#
    );
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\n{line}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const AT_ONCE_HELP: &str = "x-waypost-ttft-timeout-ms: 1\r\n";

/// Reads until so many bytes were there, or the end.
async fn read(line: &mut TcpStream, enough: usize) {
    let (mut total, mut part) = (0, [0; 4096]);
    while total < enough {
        match line.read(&mut part).await {
            Ok(read) if read > 0 => total += read,
            _ => return,
        }
    }
}

/// Reads one whole answer in chunks or by length, short enough for one end.
async fn read_answer(line: &mut TcpStream) {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while !bytes.ends_with(b"}") && !bytes.ends_with(b"0\r\n\r\n") {
        match line.read(&mut part).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
}

/// One client that comes, and goes in a state.
async fn come_and_go(addr: SocketAddr, state: State, goodbye: Goodbye) -> Option<()> {
    let mut line = TcpStream::connect(addr).await.ok()?;
    if matches!(goodbye, Goodbye::Unsaid) {
        line.set_zero_linger().ok()?;
    }
    let text = match state {
        State::WaitingForTheHead => asking("slow", "true", ""),
        State::BetweenAttempts => asking("broken", "false", ""),
        State::BesideHelp => asking("silent", "true", AT_ONCE_HELP),
        State::BetweenEvents | State::AfterSomeEvents | State::AfterTheFirstBytes => {
            asking("streams", "true", "")
        }
        State::InTheRescue => asking("cut", "true", ""),
        State::Connected
        | State::InItsHead
        | State::BeforeItsBody
        | State::InItsBody
        | State::Sent
        | State::Answered
        | State::AnsweredTwice => asking("lab", "false", ""),
    };
    let head = text.find("\r\n\r\n")? + 4;
    let part = match state {
        State::Connected => 0,
        State::InItsHead => 30,
        State::BeforeItsBody => head,
        State::InItsBody => text.len() - 10,
        _ => text.len(),
    };
    line.write_all(&text.as_bytes()[..part]).await.ok()?;
    match state {
        State::WaitingForTheHead | State::BetweenAttempts | State::BesideHelp => {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(3..12))).await;
        }
        State::AfterTheFirstBytes => read(&mut line, 1).await,
        State::BetweenEvents => read(&mut line, 600).await,
        State::AfterSomeEvents | State::InTheRescue => read(&mut line, 1_500).await,
        State::Answered => read_answer(&mut line).await,
        State::AnsweredTwice => {
            read_answer(&mut line).await;
            line.write_all(text.as_bytes()).await.ok()?;
            read_answer(&mut line).await;
        }
        State::Connected
        | State::InItsHead
        | State::BeforeItsBody
        | State::InItsBody
        | State::Sent => {}
    }
    Some(())
}

/// So many clients, in every state in turn; says how many of them came through.
async fn crowd(addr: SocketAddr, many: usize) -> usize {
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|first| {
            tokio::spawn(async move {
                let mut came = 0;
                for number in (first..many).step_by(AT_ONCE) {
                    let state = STATES[number / AT_ONCE % STATES.len()];
                    let goodbye = if (number / AT_ONCE / STATES.len()).is_multiple_of(2) {
                        Goodbye::Said
                    } else {
                        Goodbye::Unsaid
                    };
                    came += usize::from(come_and_go(addr, state, goodbye).await.is_some());
                }
                came
            })
        })
        .collect();
    let mut came = 0;
    for task in tasks {
        came += task.await.unwrap();
    }
    came
}

/// The provider under all its names, and their tables.
async fn providers() -> (Replay, String) {
    let late = Duration::from_millis(20);
    let mut slow = stream(3, Duration::from_millis(2));
    slow.wait = late;
    let mut silent = stream(3, late);
    silent.wait = Duration::from_secs(3);
    let words = stream(12, Duration::from_millis(2));
    let exchanges = [
        Exchange::any("lab", whole("hello")),
        Exchange::any("slow", slow),
        Exchange::any("silent", silent),
        Exchange::any("cut", words.clone().cut(5, End::Abort)),
        Exchange::any("streams", words),
        Exchange::any(
            "broken",
            Answer::json(503, r#"{"error":{"message":"busy"}}"#),
        ),
    ];
    let names = ["lab", "slow", "silent", "cut", "streams", "broken"];
    let replay = Replay::start(exchanges, Pace::Recorded).await.unwrap();
    let tables = names.map(|name| lab(&replay.url("lab")).replace("lab", name));
    (replay, tables.concat())
}

/// Waits until nothing is under way.
async fn idle(proxy: &Proxy) {
    let nothing = async || {
        let page = figures(&proxy.get("/metrics").await.text());
        page["waypost_connections"] == 1.0
            && page["waypost_requests_in_flight"] == 0.0
            && page["waypost_ledger_pending"] == 0.0
    };
    until_within(Duration::from_mins(1), "nothing is under way", nothing).await;
}

/// Clients that leave in every state of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_those_who_leave_in_every_state() {
    let many = size("WAYPOST_LEAVE", 4_000) as usize;
    let _alone = ALONE.lock().await;
    let (_replay, config) = providers().await;
    let proxy = Proxy::start_by("ulimit -n 4096; RUST_LOG=error", &config).await;
    let warm = crowd(proxy.addr, many / 4).await;
    idle(&proxy).await;
    let tasks = figure(&proxy, "waypost_tasks").await;
    let (files, memory) = (descriptors(proxy.id()), resident(proxy.id()));
    let came = crowd(proxy.addr, many).await;
    idle(&proxy).await;
    let after = figure(&proxy, "waypost_tasks").await;
    let grown = resident(proxy.id()).saturating_sub(memory);
    println!(
        "{came} of {many} came and went, {warm} before them; {grown} bytes more; tasks {tasks} before, {after} after; \
         descriptors {files} before, {} after",
        descriptors(proxy.id())
    );
    assert!(came * 100 > many * 99, "{came} of {many}");
    assert!(after <= tasks + 8.0, "{tasks} tasks before, {after} after");
    assert!(descriptors(proxy.id()) <= files + 8, "{files} before");
    // The receipts of their calls are kept, up to a bound.
    assert!(grown < 16 << 20, "{grown} bytes more");
    assert_eq!(figure(&proxy, "waypost_request_body_bytes").await, 0.0);
}
