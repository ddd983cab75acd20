//! Streams that break, end oddly or say odd things.

use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Answer, End, Exchange, Piece};

use crate::answers::{
    CHAT, chunk, chunks, events, is_done, says, streamed, streamed_question, text,
};
use crate::support::{self, Reply};

async fn house() -> App {
    support::app(vec![
        Exchange::any("openai", streamed()),
        Exchange::any("groq", streamed()),
    ])
    .await
}

async fn ask(answer: Answer) -> Reply {
    ask_of(&house().await, answer).await
}

async fn ask_of(app: &App, answer: Answer) -> Reply {
    let replay = app.replay().unwrap();
    replay.set([
        Exchange::any("openai", answer),
        Exchange::any("groq", streamed()),
    ]);
    let before = replay.seen().len();
    // What another answer makes of it is the failover suite's.
    let headers = [
        ("x-waypost-fallback", "groq/good"),
        ("x-waypost-rescue", "off"),
    ];
    let reply = support::post(app.addr(), CHAT, &headers, &streamed_question("openai/m")).await;
    let asked = replay.seen().len() - before;
    assert_eq!(asked, 1, "what has begun is not begun again elsewhere");
    reply
}

/// The error at the end of a broken stream.
fn broken(reply: &Reply) -> Value {
    assert_eq!(
        (reply.status, reply.clean, is_done(reply)),
        (200, false, false)
    );
    let events = events(reply);
    let errors = events.iter().filter(|event| event.get("error").is_some());
    assert_eq!(errors.count(), 1);
    let last = events.last().cloned().unwrap_or_default();
    let error = last["error"].clone();
    let keys: Vec<_> = error.as_object().expect("the last event").keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code"]);
    error
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_and_uncleanly() {
    let unfinished = chunks()[..3].concat();
    let answers = [
        Answer::events(&unfinished),
        Answer::events(&unfinished).cut(3, End::Abort),
        Answer::events(&unfinished).cut(3, End::Reset),
        // A half event is no event.
        Answer::events(&format!("{unfinished}data: {{\"id\":\"chatc")),
    ];
    let app = house().await;
    for (at, answer) in answers.into_iter().enumerate() {
        let reply = ask_of(&app, answer).await;
        let error = broken(&reply);
        assert_eq!(error["code"], "upstream_stream_truncated", "answer {at}");
        assert_eq!(error["type"], "server_error");
        // A reset may overtake what was sent before it.
        assert!("Hi there".starts_with(&text(&reply)), "answer {at}");
    }
}

#[tokio::test]
async fn a_finish_reason_without_done_is_a_success() {
    let reply = ask(Answer::events(&chunks()[..4].concat())).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, "Hi there")
    );
}

#[tokio::test]
async fn what_follows_done_is_of_no_interest() {
    let whole = chunks().concat();
    let answers = [
        Answer::events(&whole).cut(5, End::Abort),
        Answer::events(&whole).cut(5, End::Stall),
        Answer::events(&format!("{whole}{}", says("more"))),
    ];
    let app = house().await;
    for answer in answers {
        let reply = ask_of(&app, answer).await;
        assert_eq!(
            (reply.clean, is_done(&reply), &*text(&reply)),
            (true, true, "Hi there")
        );
    }
}

#[tokio::test]
async fn an_error_within_a_stream_is_one_event() {
    let said = json!({"error": {"message": "Too much.", "type": "server_error", "code": 502}});
    let stream = format!("{}data: {said}\n\ndata: [DONE]\n\n", chunks()[..3].concat());
    let reply = ask(Answer::events(&stream)).await;
    let error = broken(&reply);
    assert_eq!(error["message"], "openai: Too much.");
    assert_eq!(text(&reply), "Hi there");
}

/// Text that looks like the end of an event, and line ends that some readers split at.
#[tokio::test]
async fn text_cannot_break_out_of_its_event() {
    let odd = "a\n\ndata: [DONE]\n\nb\r\nc\u{2028}d\u{2029}e\u{85}f\u{0}g\u{feff}é😀";
    let mut all = chunks();
    all[2] = says(odd);
    let arguments = json!({"q": odd}).to_string();
    let call = json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}});
    let calls = chunk(&json!({"tool_calls": [call]}), None);
    let stream = format!(
        "{}{}{}{}{}",
        all[0],
        all[2],
        calls,
        chunk(&json!({}), Some("tool_calls")),
        all[4]
    );
    let reply = ask(Answer::events(&stream)).await;
    assert!(reply.clean);
    let body = reply.text();
    let blocks: Vec<_> = body
        .split("\n\n")
        .filter(|block| !block.is_empty())
        .collect();
    for block in &blocks {
        assert!(
            block.starts_with("data: ") && !block.contains(['\n', '\r']),
            "{block:?}"
        );
    }
    assert_eq!(
        blocks
            .iter()
            .filter(|block| **block == "data: [DONE]")
            .count(),
        1
    );
    assert_eq!(text(&reply), odd);
    let events = events(&reply);
    let told: String = events
        .iter()
        .filter_map(|event| {
            event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str()
        })
        .collect();
    assert_eq!(told, arguments);
}

/// Fields of the event format that are the provider's own, odd line ends, and a byte order mark.
#[tokio::test]
async fn only_data_passes() {
    let mut stream = "\u{feff}retry: 1\r\nid: 7\r\n".to_owned();
    for chunk in chunks() {
        stream.push_str(": comment\r\nevent: odd\r\n");
        stream.push_str(&chunk.replace("data: ", "data:").replace('\n', "\r\n"));
    }
    let reply = ask(Answer::events(&stream)).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, "Hi there")
    );
    let body = reply.text();
    for word in ["retry:", "id:", "event:", "comment", "\r", "\u{feff}"] {
        assert!(!body.contains(word), "{word:?} in {body}");
    }
}

/// Every character over several reads.
#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let said = "日本語, emoji 😀, é and \u{1d11e}";
    let mut all = chunks();
    all[1] = says(said);
    all[2] = String::new();
    let bytes = all.concat().into_bytes();
    let mut answer = streamed();
    answer.pieces = bytes
        .chunks(1)
        .map(|byte| Piece::now(byte.to_vec()))
        .collect();
    let reply = ask(answer).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, said)
    );
}

/// An event that cannot be read does not end a stream that goes on, but the answer tells of it.
#[tokio::test]
async fn an_unreadable_event_is_skipped_and_counted() {
    let all = chunks();
    let stream = format!("{}{}data: {{oops\n\n{}", all[0], all[1], all[2..].concat());
    let reply = ask(Answer::events(&stream)).await;
    assert_eq!(
        (reply.clean, is_done(&reply), &*text(&reply)),
        (true, true, "Hi there")
    );
    assert_eq!(crate::answers::metadata(&reply)["skipped_events"], 1);
}

#[tokio::test]
async fn usage_comes_once_if_asked_for_and_never_else() {
    let usage = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    });
    let all = chunks();
    let stream = format!("{}data: {usage}\n\n{}", all[..4].concat(), all[4]);
    let app = support::app(vec![Exchange::any("openai", Answer::events(&stream))]).await;
    for asked in [false, true] {
        let mut body = streamed_question("openai/m");
        body["stream_options"] = json!({"include_usage": asked});
        let reply = support::post(app.addr(), CHAT, &[], &body).await;
        let events = events(&reply);
        let told: Vec<_> = events
            .iter()
            .filter(|event| event["usage"].is_object())
            .collect();
        assert_eq!(told.len(), usize::from(asked));
        if asked {
            assert_eq!(told[0]["choices"], json!([]));
            assert_eq!(told[0]["usage"]["total_tokens"], 3);
        }
    }
    let seen = app.replay().unwrap().seen();
    for seen in seen {
        assert_eq!(seen.json()["stream_options"]["include_usage"], true);
    }
}

/// A picture may come as one event; what is longer than that is not read, and not passed on unread.
#[tokio::test]
async fn an_event_of_twenty_megabytes_is_refused_and_one_of_fifteen_passes() {
    const MIB: usize = 1 << 20;
    let of = |size: usize| {
        let [role, .., finish, done] = chunks();
        Answer::events(&[role, says(&"A".repeat(size)), finish, done].concat())
    };
    let reply = ask(of(15 * MIB)).await;
    assert!(reply.clean && is_done(&reply));
    assert_eq!(text(&reply).len(), 15 * MIB);
    let app = house().await;
    let large = [
        Exchange::any("openai", of(20 * MIB)),
        Exchange::any("groq", streamed()),
    ];
    app.replay().unwrap().set(large);
    let body = streamed_question("openai/m");
    let off = [("x-waypost-fallback", "off")];
    let reply = support::post(app.addr(), CHAT, &off, &body).await;
    assert_eq!(reply.status, 502, "{}", reply.text().len());
    let error = reply.json()["error"].clone();
    assert_eq!(error["code"], "upstream_invalid_response");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("an event of more than 16 MiB"),
        "{message}"
    );
    let next = [("x-waypost-fallback", "groq/good")];
    let reply = support::post(app.addr(), CHAT, &next, &body).await;
    assert_eq!((reply.status, &*text(&reply)), (200, "Hi there"));
}
