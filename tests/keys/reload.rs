//! A configuration that changes while the proxy serves: keys, tenants and budgets are the new ones, and what was spent of
//! them stays spent.

use serde_json::json;
use waypost::fixture::Exchange;

use crate::house::{code, house, key, question, secret, whole};

fn config(keys: &str, tenant: &str, usd: &str) -> String {
    let budget = format!("budget = {{ usd = {usd}, period = \"month\" }}");
    format!("{keys}\n[tenants.{tenant}]\n{budget}\n")
}

#[tokio::test]
async fn a_reload_takes_keys_and_budgets_and_keeps_what_is_spent() {
    let of = |name: &str, tenant: &str| key(name, &format!("tenant = \"{tenant}\""));
    let first = config(&of("old", "acme"), "acme", "0.02");
    let house = house(vec![Exchange::any("mistral", whole(1_000))], &first).await;
    // A call is a cent.
    let cent = question("mistral/n", &json!({"max_tokens": 1_000}));
    let ask = async |name: &str| {
        let reply = house.ask(&secret(name), &cent).await;
        (reply.status, code(&reply))
    };
    assert_eq!(ask("old").await.0, 200);
    assert_eq!(ask("old").await.0, 200);
    let spent = (429, "insufficient_quota".to_owned());
    assert_eq!(ask("old").await, spent);
    assert_eq!(ask("new").await.0, 401, "nobody knows it yet");

    // Another key in its place, and a cent more for the tenant of both.
    house
        .reload(&config(&of("new", "acme"), "acme", "0.03"))
        .await;
    assert_eq!(ask("old").await.0, 401);
    assert_eq!(ask("new").await.0, 200);
    assert_eq!(ask("new").await, spent, "three cents are spent");

    // A budget that is less than what was spent lets nothing through.
    house
        .reload(&config(&of("new", "acme"), "acme", "0.01"))
        .await;
    assert_eq!(ask("new").await, spent);

    // Another tenant begins with nothing spent; the first one, taken back, has what it had.
    house
        .reload(&config(&of("new", "zeta"), "zeta", "0.01"))
        .await;
    assert_eq!(ask("new").await.0, 200);
    assert_eq!(ask("new").await, spent);
    house
        .reload(&config(&of("new", "acme"), "acme", "0.03"))
        .await;
    assert_eq!(ask("new").await, spent);
    assert_eq!(house.sent(), 4);
}
