//! A provider whose every tenth answer goes wrong, each time in another way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Words of an answer.
pub(crate) const WORDS: usize = 20;

/// The ways, in turn.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Fails,
    Limits,
    HangsUp,
    Cuts,
    Stalls,
    Garbles,
    EndsEarly,
    SaysNothing,
}

const WAYS: [Wrong; 8] = [
    Wrong::Fails,
    Wrong::Limits,
    Wrong::HangsUp,
    Wrong::Cuts,
    Wrong::Stalls,
    Wrong::Garbles,
    Wrong::EndsEarly,
    Wrong::SaysNothing,
];

/// How long it is silent where it is, before it hangs up.
const SILENCE: Duration = Duration::from_secs(15);

/// A provider: where it is, and how many requests it has read whole.
#[derive(Clone, Debug)]
pub(crate) struct Flawed {
    pub(crate) url: String,
    seen: Arc<AtomicUsize>,
    wrong: Arc<AtomicUsize>,
    over: watch::Sender<bool>,
}

impl Flawed {
    /// One whose words are so far apart. Of every `of` answers one goes wrong; with 0 none does.
    pub(crate) async fn start(pace: Duration, of: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(AtomicUsize::new(0));
        let wrong = Arc::<AtomicUsize>::default();
        let counts = (Arc::clone(&seen), Arc::clone(&wrong));
        let over = watch::Sender::new(false);
        let ended = over.subscribe();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let (counts, mut ended) = (counts.clone(), ended.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve(line, pace, of, counts) => {}
                        _ = ended.wait_for(|ended| *ended) => {}
                    }
                });
            }
        });
        Self {
            url,
            seen,
            wrong,
            over,
        }
    }

    /// Hangs up everywhere.
    pub(crate) fn hang_up(&self) {
        self.over.send_replace(true);
    }

    /// How many answers it began that went wrong.
    pub(crate) fn wrong(&self) -> usize {
        self.wrong.load(Ordering::Relaxed)
    }

    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
}

/// How many requests it has read, and how many of their answers went wrong.
type Counts = (Arc<AtomicUsize>, Arc<AtomicUsize>);

/// Answers the requests of one connection.
async fn serve(mut line: TcpStream, pace: Duration, of: usize, (seen, wrong): Counts) {
    let _ = line.set_nodelay(true);
    while request(&mut line).await {
        let number = seen.fetch_add(1, Ordering::Relaxed);
        let way = (of > 0 && number % of == of / 2).then(|| way(number / of));
        wrong.fetch_add(usize::from(way.is_some()), Ordering::Relaxed);
        if answer(&mut line, pace, way).await.is_none() {
            return;
        }
    }
}

/// What goes wrong next. A limit keeps callers away for a second, so that it comes rarely: they are to come.
fn way(number: usize) -> Wrong {
    match WAYS[number % WAYS.len()] {
        Wrong::Limits if !(number / WAYS.len()).is_multiple_of(20) => Wrong::Fails,
        way => way,
    }
}

/// Reads a request to its end.
async fn request(line: &mut TcpStream) -> bool {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            if body.len() >= length {
                return true;
            }
        }
        match line.read(&mut part).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
            _ => return false,
        }
    }
}

/// One answer; `None` where the connection is over with it.
async fn answer(line: &mut TcpStream, pace: Duration, wrong: Option<Wrong>) -> Option<()> {
    match wrong {
        Some(Wrong::Fails) => return refuse(line, "500 Internal Server Error", "").await,
        Some(Wrong::Limits) => return refuse(line, "429 Too Many", "retry-after: 1\r\n").await,
        Some(Wrong::HangsUp) => return None,
        Some(Wrong::SaysNothing) => return silent(line).await,
        Some(Wrong::Cuts | Wrong::Stalls | Wrong::Garbles | Wrong::EndsEarly) | None => {}
    }
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    line.write_all(head.as_bytes()).await.ok()?;
    for word in 0..WORDS {
        match wrong {
            Some(Wrong::Cuts) if word == 7 => return None,
            Some(Wrong::Stalls) if word == 9 => return silent(line).await,
            Some(Wrong::Garbles) if word == 5 => event(line, "{\"choices\":[{").await?,
            Some(Wrong::EndsEarly) if word == 12 => {
                return line.write_all(b"0\r\n\r\n").await.ok();
            }
            _ => {}
        }
        let delta = format!("{{\"content\":\"word{word} \"}}");
        event(line, &chunk(&delta, "null", "")).await?;
        tokio::time::sleep(pace).await;
    }
    event(line, &chunk("{}", "\"stop\"", USAGE)).await?;
    event(line, "[DONE]").await?;
    line.write_all(b"0\r\n\r\n").await.ok()
}

const USAGE: &str =
    ",\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":120}";

fn chunk(delta: &str, finish: &str, usage: &str) -> String {
    format!(
        "{{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]{usage}}}"
    )
}

async fn event(line: &mut TcpStream, data: &str) -> Option<()> {
    let event = format!("data: {data}\n\n");
    let chunk = format!("{:x}\r\n{event}\r\n", event.len());
    line.write_all(chunk.as_bytes()).await.ok()
}

async fn refuse(line: &mut TcpStream, status: &str, head: &str) -> Option<()> {
    let body = "{\"error\":{\"message\":\"not now\"}}";
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{head}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(text.as_bytes()).await.ok()
}

/// Says nothing more, until the other side hangs up or its patience ends.
async fn silent(line: &mut TcpStream) -> Option<()> {
    let _ = tokio::time::timeout(SILENCE, line.read(&mut [0; 1])).await;
    None
}
