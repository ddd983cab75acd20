//! Shadow copies keep within limits of their own: how many at once, what one may cost, whom a tenant may use.

use std::time::Duration;

use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Exchange, Play};

use crate::own::{asked, own_house};
use crate::support::{Reply, get};
use crate::world::{PROVIDERS, answer, ask, last, limit, question, with};

const MODEL: &str = "mistral/mistral-small-2603";
const CAP: &str = "x-waypost-max-cost-usd";

/// A shadow of [`MODEL`], with more members of its table, and more tables.
fn shadowed(members: &str, more: &str) -> String {
    format!(
        "[experiments.watch]\napplies_to = [\"{MODEL}\"]\nshadow = \"deepseek/deepseek-flash\"\n{members}\n{more}"
    )
}

/// How many copies were seen, once nothing has come for a while.
async fn copies(app: &App) -> usize {
    let count = || asked(app).iter().filter(|name| *name == "deepseek").count();
    let mut before = count();
    loop {
        tokio::time::sleep(Duration::from_millis(80)).await;
        let now = count();
        if now == before {
            return now;
        }
        before = now;
    }
}

fn told(reply: &Reply) -> (Value, Vec<(String, String)>) {
    let mut body = reply.json();
    body["id"] = Value::Null;
    for name in ["request_id", "receipt", "latency_ms", "ttft_ms"] {
        body["waypost"][name] = Value::Null;
    }
    let heads = reply.headers.iter();
    let heads = heads.filter(|(name, _)| name.as_str().starts_with("x-waypost"));
    let heads = heads.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (body, heads.collect())
}

#[tokio::test]
async fn the_answer_its_cost_and_its_cap_are_those_without_a_shadow() {
    let question = with(MODEL, &json!({"temperature": 0.25}));
    let cap = [(CAP, "0.002")];
    let bare = own_house("", &[]).await;
    let wanted = ask(&bare, &cap, &question).await;
    let limited = limit(&last(&bare));
    assert!(limited.is_some());
    let app = own_house(&shadowed("", ""), &[]).await;
    let reply = ask(&app, &cap, &question).await;
    assert_eq!(told(&reply), told(&wanted));
    assert_eq!(copies(&app).await, 1);
    let seen = app.replay().unwrap().seen();
    assert_eq!(limit(&seen[0].json()), limited);
    assert_eq!(
        limit(&seen[1].json()),
        None,
        "the cap is the client's alone"
    );
    let receipt = get(
        app.addr(),
        reply.json()["waypost"]["receipt"].as_str().unwrap(),
        &[],
    )
    .await;
    let receipt = receipt.json();
    assert_eq!(
        (&receipt["provider"], &receipt["copy_of"]),
        (&json!("mistral"), &Value::Null)
    );
}

#[tokio::test]
async fn a_copy_has_a_cap_of_its_own() {
    let app = own_house(&shadowed("max_cost_usd = 0.001", ""), &[]).await;
    ask(&app, &[], &question(MODEL)).await;
    assert_eq!(copies(&app).await, 1);
    assert!(
        limit(&last(&app)).is_some(),
        "it is clamped: {}",
        last(&app)
    );
    let app = own_house(&shadowed("max_cost_usd = 0.0000001", ""), &[]).await;
    let reply = ask(&app, &[], &question(MODEL)).await;
    assert_eq!(
        (reply.status, copies(&app).await),
        (200, 0),
        "nothing of it fits"
    );
}

#[tokio::test]
async fn one_too_many_is_left_out_and_never_waited_for() {
    let app = own_house(&shadowed("timeout = \"1s\"", ""), &[]).await;
    let fill = || {
        let all = PROVIDERS.map(|name| match name {
            "deepseek" => Exchange::any(name, Play::silent()),
            _ => Exchange::any(name, answer()),
        });
        app.replay().unwrap().set(all);
    };
    fill();
    let begun = tokio::time::Instant::now();
    for _ in 0..24 {
        assert_eq!(ask(&app, &[], &question(MODEL)).await.status, 200);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(copies(&app).await, 16);
    // Their deadline gives the places back.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    ask(&app, &[], &question(MODEL)).await;
    assert_eq!(copies(&app).await, 17);
    app.stop().await;
}

#[tokio::test]
async fn copies_take_no_place_among_the_calls() {
    let app = own_house(
        &shadowed("timeout = \"5s\"", "[limits]\nin_flight = 2\n"),
        &[],
    )
    .await;
    let silent = Exchange::any("deepseek", Play::silent());
    app.replay()
        .unwrap()
        .set([silent, Exchange::any("mistral", answer())]);
    for _ in 0..6 {
        assert_eq!(ask(&app, &[], &question(MODEL)).await.status, 200);
    }
    assert_eq!(copies(&app).await, 6);
}

#[tokio::test]
async fn what_a_tenant_may_not_use_gets_no_copy_of_its_calls() {
    let tenants = format!(
        "[tenants.listed]\nallow = [\"mistral\"]\n[tenants.denied]\ndeny = [\"deepseek\"]\n\
         [tenants.open]\nallow = [\"mistral\", \"deepseek\"]\n[tenants.pinned]\nmodel = \"{MODEL}\"\n\
         [tenants.thrifty]\nmax_cost_usd = 0.001\n"
    );
    let app = own_house(&shadowed("", &tenants), &[]).await;
    let mut sent = 0;
    for (tenant, copied) in [
        ("listed", 0),
        ("denied", 0),
        ("pinned", 0),
        ("open", 1),
        ("thrifty", 1),
    ] {
        let reply = ask(&app, &[("x-waypost-tenant", tenant)], &question(MODEL)).await;
        assert_eq!(reply.status, 200, "{tenant}: {}", reply.text());
        sent += copied;
        assert_eq!(copies(&app).await, sent, "{tenant}");
    }
    assert!(
        limit(&last(&app)).is_some(),
        "a tenant's cap holds for its copies too"
    );
    // Nor does a list of the caller's own.
    ask(&app, &[("x-waypost-ignore", "deepseek")], &question(MODEL)).await;
    ask(&app, &[("x-waypost-only", "mistral")], &question(MODEL)).await;
    assert_eq!(copies(&app).await, sent);
}

#[tokio::test]
async fn a_share_of_calls_is_copied() {
    let app = own_house(&shadowed("share = 0.5", ""), &[]).await;
    for seed in 0..64 {
        let seed = format!("{seed}");
        ask(&app, &[("x-waypost-seed", &seed)], &question(MODEL)).await;
    }
    let count = copies(&app).await;
    assert!((16..=48).contains(&count), "{count} of 64");
    // A dry run sends nothing, and neither does its shadow.
    let before = asked(&app).len();
    let dry = [("x-waypost-dry-run", "true"), ("x-waypost-seed", "1")];
    ask(&app, &dry, &question(MODEL)).await;
    copies(&app).await;
    assert_eq!(asked(&app).len(), before);
}
