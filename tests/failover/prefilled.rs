//! An answer that nobody repeats, given to a model that goes on from there; and where that is not done.

use serde_json::{Value, json};

use crate::does::Does;
use crate::house::{House, PAIRS, Told};
use crate::support;
use crate::words::ANSWER;

/// What the capability table says of the fallback.
const TABLE: &str = "[[models]]\nid = \"second/w-goes-on\"\ncaps = { prefill = true }\n";

fn said(text: &str) -> String {
    let events = text.lines().filter_map(|line| line.strip_prefix("data: {"));
    let events = events.map(|rest| serde_json::from_str::<Value>(&format!("{{{rest}")).unwrap());
    let said = events.map(|event| {
        let said = event["choices"][0]["delta"]["content"].as_str();
        said.unwrap_or_default().to_owned()
    });
    said.collect()
}

/// The fallback says it otherwise, so that nothing is proved; given what was shown, it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_goes_on_from_a_beginning_is_given_one() {
    for pair in PAIRS {
        let house = House::new(pair, TABLE).await;
        let told = house.call(Does::Cut, Does::GoesOn, true).await;
        told.complete();
        told.asked(1, 2);
        let waypost = told.waypost();
        assert_eq!(waypost["rescue"]["how"], "prefill", "{waypost}");
        assert_eq!(waypost["rescue"]["unverified"], true);
        assert_eq!(waypost["rescue"]["from"], "first/w-cut");
        let id = told.reply.header("x-request-id").unwrap();
        let path = format!("/v1/receipts/{id}");
        let receipt = support::get(house.app.addr(), &path, &[]).await.json();
        assert_eq!(receipt["rescue"], waypost["rescue"]);
        let figures = support::get(house.app.addr(), "/metrics", &[]).await.text();
        for line in [
            r#"waypost_rescues_total{how="verified",outcome="failed"} 1"#,
            r#"waypost_rescues_total{how="prefill",outcome="carried_on"} 1"#,
        ] {
            assert!(figures.contains(line), "{line}: {figures}");
        }
    }
}

/// Where the caller wants it, others are asked to go on, and have to begin with the last words.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_asked_to_go_on_where_the_caller_wants_it() {
    for pair in PAIRS {
        let house = House::new(pair, "").await;
        let hints = [
            ("x-waypost-fallback", "second/w-asked"),
            ("x-waypost-rescue", "continue"),
        ];
        let told = house.ask("first/w-cut", &hints, true).await;
        told.complete();
        told.asked(1, 2);
        let rescue = told.waypost()["rescue"].clone();
        assert_eq!(rescue["how"], "continue", "{rescue}");
        assert_eq!(rescue["unverified"], true, "{rescue}");
        let list = [("x-waypost-fallback", "second/w-asked")];
        let told = house.ask("first/w-cut", &list, true).await;
        told.asked(1, 1);
        is_broken(&told);
    }
    // One that does not begin with them is not glued on.
    let house = House::new(PAIRS[0], "[resilience]\nrescue = \"continue\"\n").await;
    let told = house.call(Does::Cut, Does::OtherWords, true).await;
    told.asked(1, 2);
    is_broken(&told);
}

fn is_broken(told: &Told) {
    let text = told.reply.text();
    assert!(text.contains("upstream_stream_truncated"), "{text}");
    assert!(!told.reply.clean && !text.contains("[DONE]"), "{text}");
    let said = said(&text);
    assert!(ANSWER.starts_with(&said) && said.len() > 100, "{said}");
}

/// Where the table says nothing of it, nobody is given a beginning; nor by a caller who wants no rescue.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_table_and_the_caller_let_it_be() {
    let house = House::new(PAIRS[1], "").await;
    let told = house.call(Does::Cut, Does::GoesOn, true).await;
    told.asked(1, 1);
    is_broken(&told);
    let house = House::new(PAIRS[1], TABLE).await;
    let hints = [
        ("x-waypost-fallback", "second/w-goes-on"),
        ("x-waypost-rescue", "off"),
    ];
    let told = house.ask("first/w-cut", &hints, true).await;
    told.asked(1, 0);
    is_broken(&told);
}

/// Tools and JSON are no text that another could go on with.
#[tokio::test(flavor = "multi_thread")]
async fn what_asks_for_more_than_text_is_not_begun_for_it() {
    let house = House::new(PAIRS[0], TABLE).await;
    let tool =
        json!({"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}});
    for (name, value) in [
        ("tools", json!([tool])),
        ("response_format", json!({"type": "json_object"})),
    ] {
        let mut body = json!({"model": "first/w-cut", "stream": true,
            "messages": [{"role": "user", "content": "What did the lamp do? In JSON."}]});
        body[name] = value;
        let list = [("x-waypost-fallback", "second/w-goes-on")];
        let before = house.wall.seen("second").len();
        let reply = support::post(house.app.addr(), "/v1/chat/completions", &list, &body).await;
        let text = reply.text();
        assert!(
            !reply.clean && text.contains("upstream_stream_truncated"),
            "{text}"
        );
        assert_eq!(house.wall.seen("second").len() - before, 1, "{name}");
    }
}
