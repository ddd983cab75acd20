//! Calls that end in every way: nothing stays reserved, no place stays taken, and the purse has what the ledger has.
//!
//! `WAYPOST_WAYS=10000 cargo test --test keys` runs as many calls.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use waypost::account::Money;
use waypost::fixture::{Answer, End, Exchange, Play};

use crate::house::{ALONE, House, house, key, question, secret, streamed, whole};

const CLIENTS: usize = 16;

/// What each model of the provider does.
fn ways() -> Vec<(&'static str, Play)> {
    let words = || streamed(std::iter::repeat_n("word ", 40), 40);
    let refusal = |status| Answer::json(status, r#"{"error":{"message":"no"}}"#);
    vec![
        ("ok", whole(20).into()),
        ("flows", words().into()),
        ("slow", words().paced(Duration::from_millis(5)).into()),
        ("late", whole(20).after(Duration::from_secs(20)).into()),
        ("bad", refusal(400).into()),
        ("failed", refusal(500).into()),
        ("limited", refusal(429).into()),
        ("closed", Play::close()),
        ("reset", Play::reset()),
        ("short", whole(20).cut(0, End::Abort).into()),
        ("torn", words().cut(10, End::Reset).into()),
        ("html", Answer::json(200, "<html>").into()),
    ]
}

fn config() -> String {
    let models = ways().into_iter().flat_map(|(name, _)| {
        ["deepseek", "mistral"].map(|provider| {
            format!(
                "[[models]]\nid = \"{provider}/{name}\"\nmax_output = 1000\nprice = {{ input = 0.1, output = 10.0 }}\n"
            )
        })
    });
    let models: String = models.collect();
    let budget = "budget = { usd = 1000.0, period = \"month\" }";
    let own = format!("{budget}\ntenant = \"acme\"\nconcurrency = 1000");
    key("ci", &own)
        + &format!("[tenants.acme]\n{budget}\nconcurrency = 1000\n")
        + "[budget]\nusd = 0.9\nperiod = \"total\"\n"
        + &models
}

/// One call, of its number's own way.
async fn call(house: &House, number: usize) {
    let ways = ways();
    let (way, _) = &ways[number % ways.len()];
    let round = number / ways.len();
    let provider = ["deepseek", "mistral"][round % 2];
    let streams = *way == "flows" || *way == "slow" || *way == "torn";
    let mut more = json!({"max_tokens": 50, "stream": streams});
    if round.is_multiple_of(3) {
        more["fallbacks"] = json!([format!("{provider}/ok")]);
    }
    let body: Value = question(&format!("{provider}/{way}"), &more);
    let name = secret("ci");
    let asked = house.ask(&name, &body);
    // Some leave at once, some in the midst, and from the late ones all.
    let patience = match (*way, round % 5) {
        ("late", _) => Duration::from_millis(fastrand::u64(1..60)),
        (_, 0) => Duration::from_millis(fastrand::u64(0..40)),
        _ => Duration::from_secs(30),
    };
    let _ = tokio::time::timeout(patience, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_end_in_every_way_leave_nothing_reserved() {
    let _alone = ALONE.lock().await;
    let calls = std::env::var("WAYPOST_WAYS").map_or(2_000, |calls| calls.parse().unwrap());
    let plays = ways().into_iter().flat_map(|(name, play)| {
        ["deepseek", "mistral"].map(|provider| Exchange::model(provider, name, play.clone()))
    });
    let house = Arc::new(house(plays.collect(), &config()).await);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let house = Arc::clone(&house);
        clients.spawn(async move {
            for number in (client..calls).step_by(CLIENTS) {
                call(&house, number).await;
            }
        });
    }
    clients.join_all().await;
    let mut spent = Vec::new();
    for purse in ["key:ci", "tenant:acme", "all"] {
        spent.push(house.settled(purse).await.spent());
    }
    for gate in ["key:ci", "tenant:acme"] {
        for _ in 0..500 {
            if house.app.inside(gate).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(house.app.inside(gate).await, 0, "{gate}");
    }
    let house = Arc::into_inner(house).unwrap();
    let noted = house.noted().await;
    println!("{calls} calls came to {noted}");
    assert_eq!(spent, [noted; 3], "purses and ledger tell the same");
    assert!(
        noted > Money::ZERO && noted <= Money::nano(900_000_000),
        "{noted}"
    );
}
