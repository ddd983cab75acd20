//! Record and replay over real sockets: what was recorded of a provider plays as the provider did.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use waypost::fixture::{Answer, Cassette, End, Exchange, Pace, Recorder, Replay};
use waypost::net::{Client, Wire};

use support::Reply;

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("waypost-replay-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Asks a provider through the proxy's own client and its tap.
async fn ask(client: &Client, replay: &Replay, path: &str, body: &str) -> (Vec<u8>, Option<Wire>) {
    let request = Request::post(format!("{}{path}", replay.url("lab")))
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-0123456789abcdefghij")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let mut answer = client.send("lab", request).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        match answer.bytes().await {
            Some(Ok(piece)) => bytes.extend_from_slice(&piece),
            Some(Err(wire)) => return (bytes, Some(wire)),
            None => return (bytes, None),
        }
    }
}

/// The models of the first test's provider: one that pauses, one that breaks off, one that refuses.
const MODELS: [&str; 3] = ["slow", "broken", "none"];
const GAP: Duration = Duration::from_millis(80);

async fn provider() -> Replay {
    let events = Answer::events("data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: [DONE]\n\n");
    let whole = Answer::json(429, "{\"error\":{}}").header("retry-after", "3");
    let exchanges = [
        Exchange::model("lab", "slow", events.clone().pause(1, GAP)),
        Exchange::model("lab", "broken", events.cut(2, End::Abort)),
        Exchange::any("lab", whole),
    ];
    Replay::start(exchanges, Pace::Recorded).await.unwrap()
}

#[tokio::test]
async fn a_recording_plays_as_the_provider_did() {
    let provider = provider().await;
    let folder = Folder::new("plays");
    let recorder = Recorder::new(&folder.0).unwrap();
    let client = Client::new(Some(Arc::new(recorder.clone()))).unwrap();
    let mut live = Vec::new();
    for model in MODELS {
        let body = format!("{{\"model\":\"{model}\"}}");
        live.push(ask(&client, &provider, "/v1/x", &body).await);
    }
    recorder.finish().await;
    provider.stop().await;
    assert_eq!(live[1].1, Some(Wire::Closed));

    let recordings = Cassette::read_tree(&folder.0).unwrap();
    // The recorded path is the first replay's, so that the second one is asked for it as a provider's.
    let place = "/lab/lab/v1/x";
    assert!(recordings.iter().all(|one| one.sent.headers.len() == 1));
    let replay = Replay::start(recordings, Pace::Recorded).await.unwrap();
    for ((body, broke), model) in live.iter().zip(MODELS) {
        let json = serde_json::json!({ "model": model });
        let again = support::post(replay.addr(), place, &[], &json).await;
        assert_eq!(
            (&again.body, again.clean),
            (body, broke.is_none()),
            "{model}"
        );
        if model == "slow" {
            assert!(waited(&again) >= GAP / 2, "the gap is played");
        }
        if model == "none" {
            assert_eq!(
                (again.status, again.header("retry-after")),
                (429, Some("3"))
            );
        }
    }
    replay.stop().await;
}

#[tokio::test]
async fn a_miss_is_a_404_of_its_own() {
    let recordings: [Exchange; 0] = [];
    let replay = Replay::start(recordings, Pace::AtOnce).await.unwrap();
    let miss = support::post(replay.addr(), "/lab/v1/x", &[], &serde_json::json!({})).await;
    assert_eq!(
        (miss.status, miss.header("x-waypost-replay-miss")),
        (404, Some("true"))
    );
    assert_eq!(miss.json()["error"]["code"], "replay_miss");
}

/// The time between the first and the last piece.
fn waited(reply: &Reply) -> Duration {
    match reply.pieces.as_slice() {
        [(first, _), .., (last, _)] => last.saturating_sub(*first),
        _ => Duration::ZERO,
    }
}

#[tokio::test]
async fn pieces_arrive_as_they_are_played_and_a_peer_that_hangs_up_is_noticed() {
    let answer = Answer::events("data: 1\n\ndata: 2\n\n").pause(1, Duration::from_mins(1));
    let replay = Replay::start([Exchange::any("lab", answer)], Pace::Recorded)
        .await
        .unwrap();
    let mut live = support::open(replay.addr(), "/lab/x", &[("x-a", "b")], "{}").await;
    assert_eq!(live.next().await.unwrap().unwrap(), "data: 1\n\n");
    assert_eq!(replay.aborted_by_peer(), 0);
    drop(live);
    let noticed = async {
        while replay.aborted_by_peer() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), noticed)
        .await
        .unwrap();
    assert_eq!(replay.seen()[0].headers["x-a"], "b");
}
