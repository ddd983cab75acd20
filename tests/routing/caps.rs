//! A cap is a guarantee: it clamps, rejects or cuts, and says what would fit where nothing does.

use std::time::Duration;

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::world::{answer, ask, house, last, limit, open_house, question, sent, with};

const CAP: &str = "x-waypost-max-cost-usd";
const MODE: &str = "x-waypost-cost-cap-mode";

/// A dearer model without reasoning, of a provider that bills what it made.
const DEAR: &str = "mistral/mistral-large-2512";

#[tokio::test]
async fn a_cap_lowers_the_output_limit_on_every_route() {
    let app = open_house().await;
    for model in [DEAR, "auto", "gpt-oss-120b"] {
        let reply = ask(&app, &[(CAP, "0.005")], &question(model)).await;
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        let limited = limit(&last(&app)).unwrap();
        assert!(limited > 16, "{model}: {limited}");
        let most: f64 = reply
            .header("x-waypost-cost-max-usd")
            .unwrap()
            .parse()
            .unwrap();
        assert!(most > 0.0 && most <= 0.005, "{model}: {most}");
    }
    let asked = with(DEAR, &json!({"max_tokens": 50}));
    ask(&app, &[(CAP, "0.005")], &asked).await;
    assert_eq!(limit(&last(&app)), Some(50), "what fits stays");
    ask(&app, &[], &question(DEAR)).await;
    assert_eq!(limit(&last(&app)), None, "without a cap nothing is said");
}

/// The clamp is as wide as the cap: 1.5 dollars per million is 667 tokens for a tenth of a cent, less the prompt.
#[tokio::test]
async fn the_clamp_is_the_price_lists() {
    let app = open_house().await;
    ask(&app, &[(CAP, "0.003")], &question(DEAR)).await;
    let limited = limit(&last(&app)).unwrap();
    assert!((1_000..2_000).contains(&limited), "{limited}");
    ask(&app, &[(CAP, "0.004")], &question(DEAR)).await;
    let wider = limit(&last(&app)).unwrap();
    assert!(
        (660..=670).contains(&(wider - limited)),
        "{limited} {wider}"
    );
}

/// A limit beyond the window would be refused by the provider.
#[tokio::test]
async fn a_generous_cap_does_not_ask_for_more_than_there_is() {
    let app = open_house().await;
    for model in [DEAR, "groq/openai/gpt-oss-20b", "mistral/codestral-2508"] {
        let reply = ask(&app, &[(CAP, "100")], &question(model)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            limit(&last(&app)).is_none_or(|limit| limit < 131_072),
            "{}",
            last(&app)
        );
        let most = reply.header("x-waypost-cost-max-usd").unwrap();
        assert!(
            most.parse::<f64>().unwrap() < 1.0,
            "the window bounds it: {most}"
        );
    }
}

#[tokio::test]
async fn what_does_not_fit_as_asked_is_rejected() {
    let app = open_house().await;
    let reject = [(CAP, "0.005"), (MODE, "reject")];
    let asked = with(DEAR, &json!({"max_tokens": 100_000}));
    let reply = ask(&app, &reject, &asked).await;
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["code"]),
        (402, &json!("max_cost_unreachable"))
    );
    assert_eq!((&error["param"], sent(&app)), (&json!(CAP), 0));
    let fits = with(DEAR, &json!({"max_tokens": 100}));
    assert_eq!(ask(&app, &reject, &fits).await.status, 200);
    assert_eq!(limit(&last(&app)), Some(100));
}

#[tokio::test]
async fn where_nothing_fits_the_cheapest_bound_that_would_is_named_and_fits() {
    let app = open_house().await;
    for model in [DEAR, "auto"] {
        let reply = ask(&app, &[(CAP, "0.000001")], &question(model)).await;
        assert_eq!(reply.status, 402, "{model}: {}", reply.text());
        let error = reply.json()["error"].clone();
        assert_eq!(error["code"], "max_cost_unreachable");
        let message = error["message"].as_str().unwrap();
        let (_, after) = message.split_once("worst case is $").unwrap();
        let bound: String = after
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let bound = bound.trim_end_matches('.');
        assert_eq!(sent(&app), 0);
        let dry = [(CAP, bound), ("x-waypost-dry-run", "true")];
        let reply = ask(&app, &dry, &question(model)).await;
        assert_eq!(reply.status, 200, "{model} {bound}: {}", reply.text());
        assert_eq!(reply.header("x-waypost-cost-max-usd"), Some(bound));
    }
}

#[tokio::test]
async fn what_has_no_price_or_no_bound_takes_no_cap() {
    let app = open_house().await;
    let searching = with("auto", &json!({"web_search_options": {}}));
    let rows = [
        (question("mistral/of-my-own"), "not known"),
        (searching, "without a bound"),
    ];
    for (body, word) in rows {
        let reply = ask(&app, &[(CAP, "1")], &body).await;
        assert_eq!(reply.status, 402, "{}", reply.text());
        assert!(reply.text().contains(word), "{}", reply.text());
    }
    assert_eq!(sent(&app), 0);
    let reply = ask(&app, &[], &question("mistral/of-my-own")).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    assert_eq!(
        (&body["usage"]["cost"], &body["waypost"]["cost"]),
        (&Value::Null, &Value::Null)
    );
}

/// A stream of fifty pieces of eighty bytes that would take five seconds.
fn long() -> Answer {
    let chunk = |delta: Value, finish: Value| {
        let body = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        format!("data: {body}\n\n")
    };
    let text = "word ".repeat(64);
    let mut events = chunk(json!({"role": "assistant", "content": ""}), Value::Null);
    for _ in 0..50 {
        events.push_str(&chunk(json!({"content": text}), Value::Null));
    }
    events.push_str(&chunk(json!({}), json!("stop")));
    events.push_str("data: [DONE]\n\n");
    let mut answer = Answer::events(&events);
    for at in 1..50 {
        answer = answer.pause(at, Duration::from_millis(100));
    }
    answer
}

#[tokio::test]
async fn a_stream_is_cut_at_its_ceiling_and_ends_as_at_a_limit() {
    waypost::route::Counter::warm();
    let app = house(vec![Exchange::any("openai", long())], None).await;
    let body = with(
        "openai/gpt-4.1-mini",
        &json!({"stream": true, "stream_options": {"include_usage": true}}),
    );
    let cut = [(CAP, "0.003"), (MODE, "cut")];
    let reply = ask(&app, &cut, &body).await;
    assert_eq!((reply.status, reply.clean), (200, true), "{}", reply.text());
    assert_eq!(limit(&last(&app)), None, "nothing is clamped");
    let events = reply.events();
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let chunks: Vec<Value> = events
        .iter()
        .filter_map(|event| serde_json::from_str(event).ok())
        .collect();
    let reasons = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str());
    assert_eq!(reasons.collect::<Vec<_>>(), ["length"]);
    let said: usize = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .map(str::len)
        .sum();
    // A word is a token of 1.6 millionths. The prompt may be 1,100 tokens at 0.4, so that 1,600 fit; as many as come at
    // once are kept back.
    let tokens = said / "word ".len();
    assert!((1_400..=1_600).contains(&tokens), "{tokens} tokens came");
    let told = &chunks.last().unwrap()["waypost"]["cost"];
    assert_eq!(told["exact"], false, "{told}");
    let cost = told["actual_usd"].as_f64().unwrap();
    assert!((0.0022..=0.003).contains(&cost), "{told}");
    let left = async {
        while app.replay().unwrap().aborted_by_peer() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), left)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_cut_is_clamped() {
    let cut = [(CAP, "0.005"), (MODE, "cut")];
    // What a tool is called with is held back while it is made, so that a meter would see it too late.
    let app = house(vec![Exchange::any("openai", long())], None).await;
    let tools =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let body = with(
        "openai/gpt-4.1-mini",
        &json!({"stream": true, "tools": tools}),
    );
    assert_eq!(ask(&app, &cut, &body).await.status, 200);
    assert!(limit(&last(&app)).is_some(), "{}", last(&app));
    let app = house(vec![Exchange::any("mistral", answer())], None).await;
    assert_eq!(ask(&app, &cut, &question(DEAR)).await.status, 200);
    assert!(
        limit(&last(&app)).is_some(),
        "its provider bills what it makes, heard or not"
    );
}

/// A silent failure may be billed: what is left of the cap is all that the next one may cost.
#[tokio::test]
async fn what_an_attempt_may_have_cost_is_not_there_for_the_next() {
    let half = Answer::json(200, "{}");
    let app = house(
        vec![
            Exchange::any("deepseek", half),
            Exchange::any("mistral", answer()),
        ],
        None,
    )
    .await;
    let hints = [(CAP, "0.01"), ("x-waypost-fallback", DEAR)];
    let body = with(
        "deepseek/deepseek-flash",
        &json!({"max_tokens": 2_000, "reasoning_effort": "none"}),
    );
    let reply = ask(&app, &hints, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-waypost-provider"), Some("mistral"));
    assert_eq!(
        reply.json()["waypost"]["cost"]["exact"],
        false,
        "the first may be billed"
    );
    let all = [(CAP, "0.0015"), ("x-waypost-fallback", DEAR)];
    let reply = ask(&app, &all, &question("deepseek/deepseek-flash")).await;
    assert_ne!(
        reply.status,
        200,
        "the first could have cost all of it: {}",
        reply.text()
    );
}

/// Where the model's own tokenizer is known, the bound of a plain text is its count; whatever else is read, its bytes.
#[tokio::test]
async fn a_plain_text_is_bounded_by_its_count_where_the_tokenizer_is_known() {
    waypost::route::Counter::warm().unwrap();
    let app = house(
        vec![
            Exchange::any("openai", answer()),
            Exchange::any("mistral", answer()),
        ],
        None,
    )
    .await;
    let cap = [(CAP, "0.02")];
    let words = "a good word or two ".repeat(400);
    let plain = json!({"messages": [{"role": "user", "content": words}]});
    let part = json!({"type": "text", "text": words});
    let parts = json!({"messages": [{"role": "user", "content": [part, {"type": "text", "text": "Why?"}]}]});
    let tools =
        json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let with_tools = json!({"messages": plain["messages"], "tools": tools});
    let mut limits = Vec::new();
    for more in [&plain, &parts, &with_tools] {
        let reply = ask(&app, &cap, &with("openai/gpt-4.1", more)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        limits.push(limit(&last(&app)).unwrap());
    }
    // Two dollars a million in and eight out: 2,000 tokens of words and 1,100 round them leave 1,700 of 2,500; 7,600 bytes
    // and as many round them a few hundred.
    assert!((1_650..1_780).contains(&limits[0]), "{limits:?}");
    assert!(limits[1] < 400 && limits[2] < 400, "{limits:?}");
    // The text of another family is bounded by its bytes: what it has for a tokenizer is measured, not known.
    ask(&app, &cap, &with(DEAR, &plain)).await;
    let most = limit(&last(&app)).unwrap();
    ask(&app, &cap, &with(DEAR, &parts)).await;
    let same = limit(&last(&app)).unwrap();
    assert!(most.abs_diff(same) < 100, "{most} {same}");
}
