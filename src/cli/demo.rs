//! `waypost demo`: the whole product in one minute, with recordings for providers: no key, no network.
//!
//! It starts the proxy, says what to try, sends three requests through it over a real socket, shows what came back,
//! and keeps serving.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use http::Request;

use crate::app::{App, Plan, Play, StartError};
use crate::config::Config;
use crate::dialect::sse::Framer;
use crate::fixture::{Cassette, Exchange, Pace};
use crate::net::{Client, Upstream};

use super::args::DemoArgs;
use super::serve;

/// One recording in the binary: its place, the request to the provider and the answer.
struct Tape {
    place: &'static str,
    upstream: &'static str,
    response: &'static str,
}

macro_rules! tapes {
    ($($provider:literal / $case:literal,)*) => {
        const TAPES: &[Tape] = &[$(Tape {
            place: concat!($provider, "/", $case),
            upstream: include_str!(concat!("../../fixtures/", $provider, "/", $case, "/upstream.http")),
            response: include_str!(concat!("../../fixtures/", $provider, "/", $case, "/response.http")),
        },)*];
    };
}

tapes! {
    "openai" / "demo-hello",
    "openai" / "demo-stream",
    "anthropic" / "demo-tool-call",
    "google" / "demo-overloaded",
    "anthropic" / "demo-fallback",
}

/// One request of the show.
struct Scene {
    title: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: &'static str,
}

const SCENES: [Scene; 3] = [
    Scene {
        title: "A streamed answer, from OpenAI",
        header: None,
        body: include_str!("../../fixtures/openai/demo-stream/request.json"),
    },
    Scene {
        title: "A tool call, from Anthropic, translated both ways",
        header: None,
        body: include_str!("../../fixtures/anthropic/demo-tool-call/request.json"),
    },
    Scene {
        title: "A fallback: Google is overloaded, Anthropic answers",
        header: Some(("x-waypost-fallback", "anthropic/claude-haiku-4-5")),
        body: include_str!("../../fixtures/google/demo-overloaded/request.json"),
    },
];

/// Runs the show, then serves until told to stop.
///
/// # Errors
/// Why the proxy could not start.
pub async fn run(args: DemoArgs) -> Result<(), StartError> {
    let exchanges = TAPES.iter().map(exchange).collect::<Result<Vec<_>, _>>()?;
    let plan = Plan {
        listen: args.listen,
        record: None,
        play: Some(Play {
            exchanges,
            pace: Pace::AtOnce,
        }),
        config: Config::bare().map_err(StartError::Config)?,
    };
    let app = App::start(plan).await?;
    let client = Client::new(None).map_err(StartError::Tls)?;
    let mut out = io::stdout();
    // A closed pipe ends the show, not the proxy.
    let _ = greet(&mut out, app.addr());
    for scene in &SCENES {
        let _ = play(&mut out, &client, app.addr(), scene).await;
    }
    let _ = writeln!(
        out,
        "\nStill serving on http://{}. Ctrl-C ends it.",
        app.addr()
    );
    serve::wait_for_the_end(app).await
}

fn exchange(tape: &Tape) -> Result<Exchange, StartError> {
    let files = [
        ("upstream.http", tape.upstream),
        ("response.http", tape.response),
    ];
    let cassette = Cassette::embedded(tape.place, &files);
    cassette
        .map(Exchange::from)
        .map_err(|error| StartError::Fixture(error.to_string()))
}

fn greet(out: &mut impl io::Write, addr: SocketAddr) -> io::Result<()> {
    writeln!(
        out,
        "Waypost {} on http://{addr}, with recordings for providers: no key, no network.",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "\nTry it from another terminal:\n")?;
    writeln!(
        out,
        "  curl http://{addr}/v1/chat/completions -H 'content-type: application/json' \\"
    )?;
    writeln!(
        out,
        "    -d '{}'\n",
        include_str!("../../fixtures/openai/demo-hello/request.json").trim()
    )?;
    writeln!(
        out,
        "  python3 -c \"import openai; print(openai.OpenAI(base_url='http://{addr}/v1', api_key='none').chat.completions\
         .create(model='openai/gpt-4o-mini', messages=[{{'role': 'user', 'content': 'Say hello.'}}]).choices[0].message.content)\""
    )?;
    out.flush()
}

async fn play(
    out: &mut impl io::Write,
    client: &Client,
    addr: SocketAddr,
    scene: &Scene,
) -> io::Result<()> {
    writeln!(out, "\n── {} ──", scene.title)?;
    if let Some((name, value)) = scene.header {
        writeln!(out, "  {name}: {value}")?;
    }
    let mut request = Request::post(format!("http://{addr}/v1/chat/completions"))
        .header("content-type", "application/json");
    if let Some((name, value)) = scene.header {
        request = request.header(name, value);
    }
    let request = request
        .body(Bytes::from_static(scene.body.as_bytes()))
        .map_err(io::Error::other)?;
    let clock = crate::gateway::clock::Clock::default();
    let began = clock.now();
    match client.send("waypost", request).await {
        Ok(answer) => show(out, answer, began).await,
        Err(wire) => writeln!(out, "  failed: {wire:?}"),
    }
}

/// Prints a stream as it comes: the text, the calls, then what the proxy says of the call.
async fn show(out: &mut impl io::Write, mut answer: Upstream, began: Instant) -> io::Result<()> {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("-")
            .to_owned()
    };
    let (provider, model) = (header("x-waypost-provider"), header("x-waypost-model"));
    let from = header("x-waypost-fallback-from");
    let mut framer = Framer::new();
    let mut text = Vec::new();
    write!(out, "  ")?;
    while let Some(Ok(bytes)) = answer.bytes().await {
        let _ = framer.push(&bytes, |frame| {
            say(frame.data, &mut text);
            true
        });
        out.write_all(&text)?;
        out.flush()?;
        text.clear();
    }
    let ms = began.elapsed().as_secs_f64() * 1e3;
    writeln!(out, "\n  → {provider}/{model}, {ms:.1} ms")?;
    if from != "-" {
        writeln!(out, "    after {from}")?;
    }
    Ok(())
}

/// What a person wants to see of one chunk.
fn say(data: &[u8], out: &mut Vec<u8>) {
    let Ok(chunk) = serde_json::from_slice::<serde_json::Value>(data) else {
        return;
    };
    let delta = chunk.pointer("/choices/0/delta");
    let text = |path: &str| {
        delta
            .and_then(|delta| delta.pointer(path))
            .and_then(serde_json::Value::as_str)
    };
    if let Some(name) = text("/tool_calls/0/function/name") {
        out.extend_from_slice(format!("call {name} ").as_bytes());
    }
    for path in ["/content", "/tool_calls/0/function/arguments"] {
        out.extend_from_slice(
            text(path)
                .unwrap_or_default()
                .replace('\n', "\n  ")
                .as_bytes(),
        );
    }
}
