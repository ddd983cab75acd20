//! What a killed proxy had under way may be billed, and its budget knows.

use std::time::Duration;

use serde_json::json;
use waypost::fixture::{Exchange, Pace, Play, Replay};

use crate::command::serve;
use crate::house::{CHAT, code, key, question, secret, whole};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_at_a_crash_counts_with_the_most_it_can_cost() {
    let silent = Exchange::any("mistral", Play::silent());
    let provider = Replay::start([silent], Pace::AtOnce).await.unwrap();
    let folder = std::env::temp_dir().join(format!("waypost-crash-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    // Half as much again as one call can cost.
    let budget = "budget = { usd = 0.015, period = \"total\" }";
    let config = format!(
        "auth = \"keys\"\n{}[providers.mistral]\nbase_url = \"{}/v1\"\napi_key = \"upstream-canary\"\n\
         [[models]]\nid = \"mistral/n\"\nmax_output = 1000\nprice = {{ input = 0.0, output = 10.0 }}\n",
        key("one", budget),
        provider.url("mistral")
    );
    std::fs::write(folder.join("waypost.toml"), config).unwrap();
    let bearer = format!("Bearer {}", secret("one"));
    let headers = [("authorization", bearer.as_str())];
    let cent = question("mistral/n", &json!({"max_tokens": 1_000}));

    let serving = serve(&folder).await;
    // The client waits still when the proxy is killed: that it leaves would be an end of its own.
    let asked = tokio::spawn({
        let (addr, bearer, cent) = (serving.addr, bearer.clone(), cent.clone());
        async move { support::post(addr, CHAT, &[("authorization", &bearer)], &cent).await }
    });
    while provider.seen().is_empty() {
        assert!(!asked.is_finished(), "a silent provider has answered");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(serving);
    assert!(asked.await.is_err(), "nobody answered it");

    provider.set([Exchange::any("mistral", whole(1_000))]);
    let serving = serve(&folder).await;
    let refused = support::post(serving.addr, CHAT, &headers, &cent).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "insufficient_quota"),
        "{}",
        refused.text()
    );
    // Half a cent is left.
    let half = question("mistral/n", &json!({"max_tokens": 500}));
    provider.set([Exchange::any("mistral", whole(500))]);
    let fits = support::post(serving.addr, CHAT, &headers, &half).await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    drop(serving);
    std::fs::remove_dir_all(folder).unwrap();
}
