//! Limits by the minute and at once, and how an answer tells of them.

use std::time::Duration;

use serde_json::json;
use waypost::fixture::Exchange;

use crate::house::{House, code, house, key, question, secret, whole};

async fn limited(keys: &str) -> House {
    house(vec![Exchange::any("mistral", whole(5))], keys).await
}

fn plain() -> serde_json::Value {
    question("mistral/n", &json!({"max_tokens": 20}))
}

#[tokio::test]
async fn requests_are_counted_and_told_as_openai_tells_them() {
    let keys = key("ci", "rpm = 2") + &key("cd", "");
    let house = limited(&keys).await;
    for left in ["1", "0"] {
        let reply = house.ask(&secret("ci"), &plain()).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-ratelimit-limit-requests"), Some("2"));
        assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some(left));
    }
    let refused = house.ask(&secret("ci"), &plain()).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "rate_limit_exceeded")
    );
    assert_eq!(refused.header("x-should-retry"), Some("true"));
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(refused.header("x-ratelimit-reset-requests"), Some("1m0s"));
    let other = house.ask(&secret("cd"), &plain()).await;
    assert_eq!(other.status, 200);
    assert_eq!(other.header("x-ratelimit-limit-requests"), None);
    assert_eq!(house.sent(), 3);
}

#[tokio::test]
async fn tokens_are_taken_by_guess_and_corrected_by_the_bill() {
    let house = limited(&key("ci", "tpm = 100")).await;
    let reply = house.ask(&secret("ci"), &plain()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-ratelimit-limit-tokens"), Some("100"));
    let left = reply.header("x-ratelimit-remaining-tokens").unwrap();
    assert!((1..=80).contains(&left.parse::<u32>().unwrap()), "{left}");
    // It has used fifteen, whatever was taken at first: five more calls of as many fit, and then none.
    let mut answered = 1;
    loop {
        let reply = house.ask(&secret("ci"), &plain()).await;
        if reply.status != 200 {
            assert_eq!(code(&reply), "rate_limit_exceeded");
            assert_eq!(reply.header("x-should-retry"), Some("true"));
            break;
        }
        answered += 1;
    }
    assert!((3..=6).contains(&answered), "{answered}");
    let never = question("mistral/n", &json!({"max_tokens": 500}));
    let refused = house.ask(&secret("ci"), &never).await;
    assert_eq!(
        (refused.status, refused.header("x-should-retry")),
        (429, Some("false"))
    );
    assert!(
        refused.text().contains("max_completion_tokens"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn places_are_taken_at_once_and_given_back_however_a_call_ends() {
    let keys = key("ci", "tenant = \"acme\"") + "[tenants.acme]\nconcurrency = 1\n";
    let house = limited(&keys).await;
    let slow = whole(5).after(Duration::from_millis(400));
    house.providers.set([Exchange::any("mistral", slow)]);
    let name = secret("ci");
    let late = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        house.ask(&name, &plain()).await
    };
    let body = plain();
    let (first, second) = tokio::join!(house.ask(&name, &body), late);
    assert_eq!((first.status, second.status), (200, 429));
    assert_eq!(second.header("retry-after"), Some("1"));
    // A client that leaves takes its place with it.
    let left = tokio::time::timeout(Duration::from_millis(100), house.ask(&name, &plain())).await;
    assert!(left.is_err());
    for _ in 0..200 {
        if house.app.inside("tenant:acme").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(house.app.inside("tenant:acme").await, 0);
    assert_eq!(house.ask(&name, &plain()).await.status, 200);
}
