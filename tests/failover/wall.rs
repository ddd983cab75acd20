//! A provider over raw sockets that breaks on purpose: the path says in which dialect it speaks, the model what it does.
//! It notes every attempt and when it came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::does::Does;
use crate::words::{Dialect, Refusal, Script};

/// How long the wall takes over what takes long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub(crate) retry_after: u64,
    pub(crate) slow: Duration,
    pub(crate) stall: Duration,
    pub(crate) down: Duration,
}

/// One attempt that the wall saw.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) at: Duration,
    /// Whether it was answered in full.
    pub(crate) answered: bool,
}

#[derive(Debug)]
pub(crate) struct Wall {
    pub(crate) addr: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    waits: Waits,
    seen: Mutex<Vec<Attempt>>,
}

impl Wall {
    pub(crate) async fn start(waits: Waits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            began: Instant::now(),
            waits,
            seen: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // Whoever hangs up ends its own line only.
                tokio::spawn(async move { state.serve(line).await });
            }
        });
        Self { addr, state }
    }

    /// What it saw at a provider so far.
    pub(crate) fn seen(&self, provider: &str) -> Vec<Attempt> {
        let seen = self.state.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.provider == provider)
            .cloned()
            .collect()
    }

    /// How long it has been there.
    pub(crate) fn age(&self) -> Duration {
        self.state.began.elapsed()
    }
}

/// A request as the wall reads it.
struct Asked {
    provider: String,
    dialect: Dialect,
    model: String,
    streams: bool,
    body: Value,
}

impl State {
    async fn serve(&self, mut line: TcpStream) -> Option<()> {
        line.set_nodelay(true).ok()?;
        while let Some((path, body)) = read(&mut line).await {
            let asked = Asked::of(&path, body);
            let (nth, place) = self.note(&asked);
            let answered = self.answer(&mut line, &asked, nth).await?;
            self.seen.lock().unwrap()[place].answered = answered;
        }
        None
    }

    /// Notes an attempt; says how many of its kind there were, and its place.
    fn note(&self, asked: &Asked) -> (usize, usize) {
        let mut seen = self.seen.lock().unwrap();
        let same = |one: &&Attempt| one.provider == asked.provider && one.model == asked.model;
        let nth = seen.iter().filter(same).count() + 1;
        seen.push(Attempt {
            provider: asked.provider.clone(),
            model: asked.model.clone(),
            at: self.began.elapsed(),
            answered: false,
        });
        (nth, seen.len() - 1)
    }

    /// Answers one attempt, and says whether in full; nothing where the line is at its end.
    async fn answer(&self, line: &mut TcpStream, asked: &Asked, nth: usize) -> Option<bool> {
        let waits = &self.waits;
        let once = |why| (nth == 1).then_some(why);
        let refused = match Does::of(&asked.model) {
            Does::LimitedOnce => once(Refusal::Limited),
            Does::LimitedForEver => Some(Refusal::Limited),
            Does::BrokenOnce => once(Refusal::Broken),
            Does::DownForEver => Some(Refusal::Overloaded),
            Does::Flaps => (self.began.elapsed() < waits.down).then_some(Refusal::Overloaded),
            Does::TooLong => Some(Refusal::TooLong),
            Does::Filtered => Some(Refusal::Filtered),
            Does::NoPrefill => asked.is_prefilled().then_some(Refusal::Prefilled),
            Does::ResetOnce if nth == 1 => {
                let _ = line.set_zero_linger();
                return None;
            }
            Does::Silent | Does::SilentToo => {
                tokio::time::sleep(Duration::from_mins(2)).await;
                return None;
            }
            Does::Answers
            | Does::ResetOnce
            | Does::SlowToSpeak
            | Does::Cut
            | Does::Stalls
            | Does::Malformed
            | Does::NoDone
            | Does::SlowToHead
            | Does::DiesUnheard
            | Does::SlowAfterRole
            | Does::GoesOn
            | Does::IsAsked
            | Does::OtherWords => None,
        };
        if let Some(why) = refused {
            let wait = (Does::of(&asked.model) == Does::LimitedOnce).then_some(waits.retry_after);
            refuse(line, asked.dialect.refusal(why), wait).await?;
            return Some(false);
        }
        if asked.streams {
            self.stream(line, asked).await?;
        } else {
            whole(line, asked).await?;
        }
        Some(true)
    }

    async fn stream(&self, line: &mut TcpStream, asked: &Asked) -> Option<()> {
        let does = Does::of(&asked.model);
        if does == Does::SlowToHead {
            tokio::time::sleep(self.waits.slow).await;
        }
        let Script {
            head,
            words,
            mut tail,
            end,
        } = asked.dialect.script(&asked.model);
        write(line, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n").await?;
        if does == Does::SlowToSpeak {
            tokio::time::sleep(self.waits.slow).await;
        }
        if does == Does::DiesUnheard {
            tokio::time::sleep(self.waits.slow).await;
            return None;
        }
        for event in head {
            chunk(line, &event).await?;
        }
        if does == Does::SlowAfterRole {
            tokio::time::sleep(self.waits.slow).await;
        }
        let before = asked.before(does);
        let differs = match does {
            Does::OtherWords => true,
            Does::GoesOn | Does::IsAsked => before.is_none(),
            _ => false,
        };
        for (at, word) in words.iter().enumerate().skip(before.unwrap_or(0)) {
            match does {
                Does::Cut if at == 40 => return None,
                Does::Stalls if at == 20 => {
                    tokio::time::sleep(self.waits.stall).await;
                    return None;
                }
                Does::Malformed if at == 10 => chunk(line, asked.dialect.malformed()).await?,
                _ => {}
            }
            let other = differs && at == 20;
            let word = if other {
                asked.dialect.otherwise(word)
            } else if does == Does::IsAsked && before == Some(at) {
                asked.dialect.without_space(word)
            } else {
                word.clone()
            };
            chunk(line, &word).await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tail.extend(end.filter(|_| does != Does::NoDone));
        for event in tail {
            chunk(line, &event).await?;
        }
        write(line, "0\r\n\r\n").await
    }
}

impl Asked {
    fn of(path: &str, body: Value) -> Self {
        let path = path.trim_start_matches('/');
        let (provider, rest) = path.split_once('/').unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (dialect, model, streams) = if rest.ends_with("chat/completions") {
            (Dialect::OpenAi, text("model"), body["stream"] == true)
        } else if rest.ends_with("messages") {
            (Dialect::Anthropic, text("model"), body["stream"] == true)
        } else {
            let (_, end) = rest.rsplit_once('/').unwrap();
            let (model, verb) = end.split_once(':').unwrap();
            (
                Dialect::Gemini,
                model.to_owned(),
                verb.starts_with("stream"),
            )
        };
        Self {
            provider: provider.to_owned(),
            dialect,
            model,
            streams,
            body,
        }
    }

    fn is_prefilled(&self) -> bool {
        self.prefix().is_some()
    }

    /// How many words of the answer it is told that it has said, where it does as it is told.
    fn before(&self, does: Does) -> Option<usize> {
        let before = match does {
            Does::GoesOn => self.prefix(),
            Does::IsAsked => self.before_last_words(),
            _ => None,
        };
        before.map(|text| text.split_whitespace().count())
    }

    /// The answer before the words that it is asked to begin with.
    fn before_last_words(&self) -> Option<String> {
        let body = self.body.to_string();
        let (_, words) = body.rsplit_once("<<")?;
        let (words, _) = words.split_once(">>")?;
        let (before, _) = crate::words::ANSWER.split_once(words)?;
        Some(before.to_owned())
    }

    /// What the assistant has said at the end of the request.
    fn prefix(&self) -> Option<String> {
        let turns = self
            .body
            .get("messages")
            .or_else(|| self.body.get("contents"));
        let last = turns
            .and_then(Value::as_array)
            .and_then(|turns| turns.last());
        let last = last.filter(|turn| turn["role"] == "assistant" || turn["role"] == "model")?;
        let text = last["content"].as_str();
        let text = text.or_else(|| last["content"][0]["text"].as_str());
        let text = text.or_else(|| last["parts"][0]["text"].as_str());
        Some(text.unwrap_or_default().to_owned())
    }
}

async fn whole(line: &mut TcpStream, asked: &Asked) -> Option<()> {
    let body = asked.dialect.whole(&asked.model).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    write(
        line,
        &format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
    )
    .await
}

async fn refuse(
    line: &mut TcpStream,
    (status, body): (u16, Value),
    wait: Option<u64>,
) -> Option<()> {
    let body = body.to_string();
    let wait = wait
        .map(|wait| format!("retry-after: {wait}\r\n"))
        .unwrap_or_default();
    let head = format!("HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n{wait}");
    write(
        line,
        &format!("{head}content-length: {}\r\n\r\n{body}", body.len()),
    )
    .await
}

async fn chunk(line: &mut TcpStream, bytes: &str) -> Option<()> {
    write(line, &format!("{:x}\r\n{bytes}\r\n", bytes.len())).await
}

async fn write(line: &mut TcpStream, bytes: &str) -> Option<()> {
    line.write_all(bytes.as_bytes()).await.ok()
}

/// The path and the body of the next request; `None` where the line ends.
async fn read(line: &mut TcpStream) -> Option<(String, Value)> {
    let (mut bytes, mut part) = (Vec::new(), [0; 8192]);
    loop {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length: usize = text
                .split("content-length: ")
                .nth(1)?
                .split("\r\n")
                .next()?
                .parse()
                .ok()?;
            if bytes.len() >= head + 4 + length {
                let path = String::from_utf8_lossy(&bytes[..head])
                    .split(' ')
                    .nth(1)?
                    .to_owned();
                let path = path.split('?').next()?.to_owned();
                return Some((path, serde_json::from_slice(&bytes[head + 4..]).unwrap()));
            }
        }
        let read = line.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
    }
}
