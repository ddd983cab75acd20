//! No budget is raced past: of a thousand calls at once, as many are answered as it fits.

use std::sync::Arc;

use serde_json::json;
use waypost::account::Money;
use waypost::fixture::Exchange;

use crate::house::{CHAT, House, code, house, key, question, secret, whole};
use crate::support::{self, Reply};

/// A call asks for at most 100 tokens and uses all of them: a tenth of a cent.
const CALL: u64 = 1_000_000;

async fn played(config: &str) -> House {
    house(vec![Exchange::any("mistral", whole(100))], config).await
}

/// A thousand calls at once, on a provider whose calls cannot be cut.
async fn a_thousand(house: &House, who: &str) -> Vec<Reply> {
    let body = Arc::new(question("mistral/n", &json!({"max_tokens": 100})));
    let bearer = Arc::new(format!("Bearer {}", secret(who)));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (addr, body, bearer) = (house.app.addr(), Arc::clone(&body), Arc::clone(&bearer));
        calls.spawn(async move {
            let headers = [("authorization", bearer.as_str())];
            support::post(addr, CHAT, &headers, &body).await
        });
    }
    calls.join_all().await
}

/// A hundred are answered, the others refused, and every purse has just what was spent.
async fn a_hundred(house: House, who: &str, purses: &[&str]) {
    let replies = a_thousand(&house, who).await;
    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        let said = (refused.status, code(refused));
        assert_eq!(
            said,
            (429, "insufficient_quota".to_owned()),
            "{}",
            refused.text()
        );
        assert_eq!(refused.header("x-should-retry"), Some("false"));
    }
    assert_eq!((answered, house.sent()), (100, 100));
    for purse in purses {
        let purse = house.settled(purse).await;
        assert_eq!(purse.spent(), Money::nano(100 * CALL), "{purse:?}");
    }
    assert_eq!(house.noted().await, Money::nano(100 * CALL));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_calls_at_once_a_hundred_fit() {
    let keys = key("ci", "budget = { usd = 0.1, period = \"month\" }");
    a_hundred(played(&keys).await, "ci", &["key:ci"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_budgets_hold_at_once() {
    let keys = key(
        "ci",
        "tenant = \"acme\"\nbudget = { usd = 0.15, period = \"total\" }",
    ) + "[tenants.acme]\nbudget = { usd = 0.1, period = \"day\" }\n";
    let config = format!("budget = {{ usd = 0.2, period = \"month\" }}\n{keys}");
    a_hundred(
        played(&config).await,
        "ci",
        &["key:ci", "tenant:acme", "all"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_never_seen_is_held_to_its_budget_at_once() {
    let keys = key("any", "tenants = [\"acme\", \"zeta\"]\ntenant = \"acme\"")
        + "[tenants.acme]\nbudget = { usd = 0.1, period = \"month\" }\n[tenants.zeta]\n";
    a_hundred(played(&keys).await, "any", &["tenant:acme"]).await;
}

#[tokio::test]
async fn what_was_spent_is_spent_after_a_restart() {
    let keys = key("ci", "budget = { usd = 0.0025, period = \"month\" }");
    let house = played(&keys).await;
    let body = question("mistral/n", &json!({"max_tokens": 100}));
    for _ in 0..2 {
        assert_eq!(house.ask(&secret("ci"), &body).await.status, 200);
    }
    let house = house.again(&keys).await;
    let purse = house.settled("key:ci").await;
    assert_eq!(purse.spent(), Money::nano(2 * CALL));
    let refused = house.ask(&secret("ci"), &body).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "insufficient_quota")
    );
    // What fits is still let through.
    let small = question("mistral/n", &json!({"max_tokens": 10}));
    house.providers.set([Exchange::any("mistral", whole(10))]);
    assert_eq!(house.ask(&secret("ci"), &small).await.status, 200);
    assert_eq!(house.noted().await, Money::nano(2 * CALL + CALL / 10));
}
