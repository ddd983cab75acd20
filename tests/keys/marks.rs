//! What a key says of its calls' rows: how they are marked, and what their notes promise.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use waypost::fixture::Exchange;
use waypost::store::sqlite::{open_to_read, sums};

use crate::house::{CHAT, House, code, house, key, question, secret, whole};
use crate::support::{self, Reply};

async fn marked(house: &House, name: &str, tags: &str) -> Reply {
    let bearer = format!("Bearer {}", secret(name));
    let headers = [("authorization", bearer.as_str()), ("x-waypost-tags", tags)];
    let body = question("mistral/n", &json!({"max_tokens": 10})).to_string();
    let live = support::open(house.app.addr(), CHAT, &headers, &body).await;
    live.collect().await
}

#[tokio::test]
async fn callers_mark_their_calls_as_far_as_their_key_lets_them() {
    let keys = key(
        "root",
        "tags = [\"team\"]\nmay_tag = [\"night\", \"batch\"]",
    ) + &key(
        "leaf",
        "from = \"root\"\ntags = [\"ci\"]\nmay_tag = [\"*\"]",
    ) + &key("bare", "");
    let house = house(vec![Exchange::any("mistral", whole(10))], &keys).await;
    for (name, tags) in [
        ("root", "other"),
        ("leaf", "night,other"),
        ("bare", "night"),
    ] {
        let refused = marked(&house, name, tags).await;
        assert_eq!(
            (refused.status, code(&refused).as_str()),
            (400, "invalid_value")
        );
        assert_eq!(refused.json()["error"]["param"], "x-waypost-tags");
    }
    assert_eq!(house.sent(), 0);
    for (name, tags, all) in [
        ("root", "batch", json!(["team", "batch"])),
        ("leaf", "night,team", json!(["team", "ci", "night"])),
        ("bare", "", json!([])),
    ] {
        let reply = if tags.is_empty() {
            let body = question("mistral/n", &json!({"max_tokens": 10}));
            house.ask(&secret(name), &body).await
        } else {
            marked(&house, name, tags).await
        };
        assert_eq!(reply.status, 200, "{}", reply.text());
        let id = reply.header("x-request-id").unwrap().to_owned();
        let receipt = house
            .get(&secret(name), &format!("/v1/receipts/{id}"))
            .await;
        assert_eq!(receipt.json()["tags"], all, "{name}");
    }
    let one = |tag| (tag, 1, 100_000);
    assert_eq!(
        by_tag(house).await,
        [
            ("team".to_owned(), 2, 200_000),
            one("-".to_owned()),
            one("batch".to_owned()),
            one("ci".to_owned()),
            one("night".to_owned()),
        ]
    );
}

/// What was spent by tag.
async fn by_tag(house: House) -> Vec<(String, u64, u64)> {
    house.app.stop().await;
    let ledger = open_to_read(&house.folder.join("waypost.db")).unwrap();
    let span = sums::Span {
        since: 0,
        until: u64::MAX,
    };
    let sums = sums::spent(&ledger, span, sums::By::Tag).unwrap();
    let name = |name: Option<String>| name.unwrap_or_else(|| "-".to_owned());
    sums.into_iter()
        .map(|sum| (name(sum.name), sum.attempts, sum.cost.as_nano()))
        .collect()
}

#[tokio::test]
async fn the_notes_of_a_keys_calls_promise_what_it_asks_for() {
    let keys = key("loose", "sync = \"off\"") + &key("firm", "sync = \"full\"");
    let answer = whole(10).after(Duration::from_millis(600));
    let house = Arc::new(house(vec![Exchange::any("mistral", answer)], &keys).await);
    let spool = house.folder.join("waypost.db-open-0");
    let noted = || String::from_utf8_lossy(&std::fs::read(&spool).unwrap()).contains("mistral");
    for (name, promised) in [("loose", false), ("firm", true)] {
        let call = tokio::spawn({
            let house = Arc::clone(&house);
            async move {
                let body = question("mistral/n", &json!({"max_tokens": 10}));
                house.ask(&secret(name), &body).await.status
            }
        });
        let sent = house.sent();
        while house.sent() == sent {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(noted(), promised, "{name}");
        assert_eq!(call.await.unwrap(), 200);
    }
    let house = Arc::into_inner(house).unwrap();
    assert_eq!(house.noted().await.as_nano(), 200_000);
}
