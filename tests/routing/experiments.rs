//! Splits that stick, and shadow copies that nobody feels.

use std::time::Duration;

use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Answer, Play};

use crate::own::{asked, own_house};
use crate::support::get;
use crate::world::{answer, ask, overloaded, question, sent, with};

const SPLIT: &str = r#"
[experiments.half]
applies_to = ["auto"]
split = { "mistral/mistral-small-2603" = 50, "deepseek/deepseek-flash" = 50 }
sticky = "user"
"#;

#[tokio::test]
async fn a_user_stays_with_an_arm_and_the_arms_are_told() {
    let app = own_house(SPLIT, &[]).await;
    let mut arms = Vec::new();
    for user in 0..24 {
        let body = with("auto", &json!({"user": format!("user-{user}")}));
        let reply = ask(&app, &[], &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let told = reply.json()["waypost"].clone();
        assert_eq!(told["experiment"], "half");
        let arm = told["arm"].as_str().unwrap().to_owned();
        assert!(
            arm.starts_with(reply.header("x-waypost-provider").unwrap()),
            "{arm}"
        );
        let again = ask(&app, &[], &body).await.json();
        assert_eq!(again["waypost"]["arm"], arm.as_str(), "user-{user}");
        let receipt = get(app.addr(), told["receipt"].as_str().unwrap(), &[])
            .await
            .json();
        assert_eq!(
            (&receipt["experiment"], &receipt["arm"]),
            (&json!("half"), &json!(arm))
        );
        arms.push(arm);
    }
    arms.sort();
    arms.dedup();
    assert_eq!(arms.len(), 2);
    let other = ask(&app, &[], &question("groq/llama-3.1-8b-instant"))
        .await
        .json();
    assert!(other["waypost"].get("experiment").is_none());
    let by_name = ask(&app, &[], &question("half")).await.json();
    assert_eq!(by_name["waypost"]["experiment"], "half");
}

const SHADOW: &str = r#"
[experiments.watch]
applies_to = ["mistral/mistral-small-2603"]
shadow = "deepseek/deepseek-flash"
timeout = "2s"
"#;

/// Waits until so many requests were seen.
async fn seen(app: &App, count: usize) {
    let begun = tokio::time::Instant::now();
    while sent(app) < count && begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(sent(app), count);
}

fn plain(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("waypost");
    body["id"] = Value::Null;
    body
}

#[tokio::test]
async fn a_copy_goes_out_and_the_answer_is_the_same() {
    let question = with("mistral/mistral-small-2603", &json!({"temperature": 0.25}));
    let bare = own_house("", &[]).await;
    let wanted = ask(&bare, &[], &question).await.json();
    for shadow in [answer(), overloaded()] {
        let app = own_house(SHADOW, &[("deepseek", shadow)]).await;
        let reply = ask(&app, &[], &question).await;
        assert_eq!(plain(reply.json()), plain(wanted.clone()));
        seen(&app, 2).await;
        assert_eq!(asked(&app), ["mistral", "deepseek"]);
        let copy = app.replay().unwrap().seen().pop().unwrap().json();
        assert_eq!(
            (&copy["model"], &copy["messages"]),
            (&json!("deepseek-flash"), &question["messages"])
        );
        app.stop().await;
    }
}

#[tokio::test]
async fn a_stream_is_copied_as_a_stream() {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    let said = chunk(json!({"role": "assistant", "content": "Hi"}), None);
    let text = format!("{said}{}data: [DONE]\n\n", chunk(json!({}), Some("stop")));
    let both = ["mistral", "deepseek"].map(|name| (name, Answer::events(&text)));
    let app = own_house(SHADOW, &both).await;
    let reply = ask(
        &app,
        &[],
        &with("mistral/mistral-small-2603", &json!({"stream": true})),
    )
    .await;
    assert!(
        reply.text().ends_with("data: [DONE]\n\n"),
        "{}",
        reply.text()
    );
    seen(&app, 2).await;
    let copy = app.replay().unwrap().seen().pop().unwrap();
    assert_eq!(
        (copy.provider.as_str(), &copy.json()["stream"]),
        ("deepseek", &json!(true))
    );
    app.stop().await;
}

#[tokio::test]
async fn failed_calls_are_not_copied_and_a_silent_shadow_delays_nobody() {
    let app = own_house(SHADOW, &[("mistral", overloaded())]).await;
    let reply = ask(&app, &[], &question("mistral/mistral-small-2603")).await;
    assert!(reply.status >= 500);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(asked(&app), ["mistral"]);
    let app = own_house(SHADOW, &[]).await;
    let silent = waypost::fixture::Exchange::any("deepseek", Play::silent());
    app.replay()
        .unwrap()
        .set([waypost::fixture::Exchange::any("mistral", answer()), silent]);
    let begun = tokio::time::Instant::now();
    for _ in 0..3 {
        let reply = ask(&app, &[], &question("mistral/mistral-small-2603")).await;
        assert_eq!(reply.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(2));
    seen(&app, 6).await;
    // The end waits for them, and their own deadline ends them.
    app.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(8));
}
