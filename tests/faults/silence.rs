//! What keeps a connection warm while a provider thinks.

use std::time::Duration;

use waypost::app::App;
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Piece};

use crate::answers::{CHAT, events, is_done, metadata, refusal, streamed, streamed_question, text};
use crate::support::{self, Reply};

const BEAT: Duration = Duration::from_millis(40);
/// Many beats.
const PAUSE: Duration = Duration::from_millis(300);

async fn app(exchanges: Vec<Exchange>, commit_after: Duration, beat: Duration) -> App {
    let mut config = Config::bare().unwrap();
    config.resilience.heartbeat = beat;
    config.resilience.commit_after = commit_after;
    support::app_with(exchanges, config).await
}

async fn ask(answer: Answer, commit_after: Duration, beat: Duration) -> Reply {
    let app = app(vec![Exchange::any("openai", answer)], commit_after, beat).await;
    support::post(app.addr(), CHAT, &[], &streamed_question("openai/m")).await
}

/// The blocks of a stream: each is a comment or one event.
fn blocks(reply: &Reply) -> Vec<String> {
    let body = reply.text();
    assert!(body.ends_with("\n\n"));
    let blocks = body.split("\n\n").filter(|block| !block.is_empty());
    let blocks: Vec<String> = blocks.map(str::to_owned).collect();
    for block in &blocks {
        let whole = block == ": ping" || block.starts_with("data: ");
        assert!(whole && !block.contains('\n'), "{block:?}");
    }
    // Every event parses, so that no comment stands within one.
    let _ = events(reply);
    blocks
}

fn pings(reply: &Reply) -> usize {
    blocks(reply)
        .iter()
        .filter(|block| *block == ": ping")
        .count()
}

#[tokio::test]
async fn a_silent_stream_is_kept_warm_between_events_only() {
    let mut answer = streamed().pause(3, PAUSE);
    // The provider falls silent in the middle of an event, too.
    let mut half = answer.pieces[2].bytes.clone();
    let rest = half.split_off(half.len() / 2);
    answer.pieces[2] = Piece::now(half);
    answer.pieces.insert(3, Piece::after(PAUSE, rest));
    let reply = ask(answer, Duration::ZERO, BEAT).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, "Hi there")
    );
    let count = pings(&reply);
    // Two pauses of seven beats each; a loaded machine skips some.
    assert!((2..=14).contains(&count), "{count}");
    assert!(
        blocks(&reply)[0].starts_with("data: "),
        "nothing comes before the first event"
    );
}

#[tokio::test]
async fn no_beat_means_no_comment() {
    let reply = ask(streamed().pause(2, PAUSE), Duration::ZERO, Duration::ZERO).await;
    assert_eq!((pings(&reply), &*text(&reply)), (0, "Hi there"));
}

#[tokio::test]
async fn the_head_waits_for_the_first_event_unless_it_takes_too_long() {
    let late = streamed().after(PAUSE);
    let app = app(vec![Exchange::any("openai", late)], BEAT, BEAT).await;
    let body = streamed_question("openai/m").to_string();
    let mut live = support::open(app.addr(), CHAT, &[], &body).await;
    assert_eq!(live.status, 200);
    assert_eq!(
        live.headers["content-type"],
        "text/event-stream; charset=utf-8"
    );
    assert!(live.headers.contains_key("x-request-id"));
    let first = live.next().await.unwrap().unwrap();
    assert_eq!(first, ": ping\n\n");
    let rest = live.collect().await;
    assert_eq!(
        (rest.clean, is_done(&rest), &*text(&rest)),
        (true, true, "Hi there")
    );
    assert!(pings(&rest) >= 2, "{}", rest.text());
}

#[tokio::test]
async fn after_an_early_head_a_failure_is_an_error_event() {
    let answer = refusal(429, "", "Not now.").after(PAUSE);
    let reply = ask(answer, BEAT, Duration::ZERO).await;
    assert_eq!(
        (reply.status, reply.clean, is_done(&reply)),
        (200, false, false)
    );
    let events = events(&reply);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["error"]["code"], "rate_limit_exceeded");
    assert_eq!(
        pings(&reply),
        1,
        "one comment takes the head along, and no beat is wanted"
    );
}

#[tokio::test]
async fn after_an_early_head_other_targets_are_tried_unseen() {
    let exchanges = vec![
        Exchange::any("openai", refusal(500, "", "Boom.").after(PAUSE)),
        Exchange::any("groq", streamed()),
    ];
    let app = app(exchanges, BEAT, BEAT).await;
    let headers = [
        ("x-waypost-fallback", "groq/good"),
        ("x-waypost-retries", "0"),
    ];
    let reply = support::post(app.addr(), CHAT, &headers, &streamed_question("openai/m")).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, "Hi there")
    );
    let attempts = &metadata(&reply)["attempts"];
    assert_eq!(attempts[0]["outcome"], "upstream_error");
    assert_eq!(attempts[1]["provider"], "groq");
}

/// A failure within the limit still has its status.
#[tokio::test]
async fn before_the_head_a_failure_has_its_status() {
    let reply = ask(refusal(429, "", "Not now."), PAUSE * 20, BEAT).await;
    assert_eq!(reply.status, 429);
}

/// The house with short limits of silence and of a whole stream.
async fn limited(answer: Answer, limits: &str) -> Reply {
    let file = format!("[providers.openai]\napi_key = \"k\"\n[resilience]\n{limits}");
    let config = Config::parse(&file, std::path::Path::new("waypost.toml"), &|_| None).unwrap();
    let app = support::app_with(vec![Exchange::any("openai", answer)], config).await;
    support::post(app.addr(), CHAT, &[], &streamed_question("openai/m")).await
}

fn ends_with(reply: &Reply, code: &str) {
    let events = events(reply);
    let last = events.last().unwrap();
    assert_eq!(last["error"]["code"], code, "{}", reply.text());
    assert!(!reply.clean && !is_done(reply), "{}", reply.text());
}

/// Bytes that say nothing do not end a silence, and neither they nor words make a stream last for ever.
#[tokio::test]
async fn what_drips_for_ever_ends_at_its_limit() {
    let drip = Duration::from_millis(20);
    let comment = ": still here\n\n".bytes().cycle().take(400);
    let mut drips = streamed();
    let rest = drips.pieces.split_off(3);
    let bytes = comment.map(|byte| Piece::after(drip, vec![byte]));
    drips.pieces.extend(bytes);
    drips.pieces.extend(rest.clone());
    let reply = limited(drips, "stream_timeout = \"700ms\"\nheartbeat = \"50ms\"\n").await;
    ends_with(&reply, "stream_total_timeout");
    let mut words = streamed();
    words.pieces.truncate(2);
    let said = crate::answers::says("word ");
    words
        .pieces
        .extend((0..400).map(|_| Piece::after(drip, said.clone())));
    words.pieces.extend(rest);
    let reply = limited(words, "stream_timeout = \"700ms\"\n").await;
    ends_with(&reply, "stream_total_timeout");
    let said = text(&reply).split_whitespace().count();
    assert!((5..60).contains(&said), "{said}");
}

#[tokio::test]
async fn silence_without_end_is_ended() {
    let drip = Duration::from_millis(20);
    let mut silent = streamed();
    let rest = silent.pieces.split_off(3);
    let comment = ": still here\n\n".bytes().cycle().take(400);
    silent
        .pieces
        .extend(comment.map(|byte| Piece::after(drip, vec![byte])));
    silent.pieces.extend(rest);
    let reply = limited(silent, "idle_timeout = \"600ms\"\nheartbeat = \"50ms\"\n").await;
    ends_with(&reply, "upstream_idle_timeout");
    let pings = reply.text().matches(": ping\n\n").count();
    assert!(pings >= 2, "{}", reply.text());
}
