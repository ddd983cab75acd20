//! Budgets under a crowd: as many calls are answered as are paid for, and nothing stays reserved.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use waypost::account::Money;
use waypost::fixture::{Answer, Exchange};

use crate::house::{ALONE, House, code, house, key, question, secret, whole};

const CENT: Money = Money::nano(10_000_000);

/// Asks for a thousand tokens, a cent, a thousand times at once; how many were answered and how many refused.
async fn crowd(house: &Arc<House>, names: &[&str]) -> (usize, usize) {
    let mut calls = JoinSet::new();
    for number in 0..1_000 {
        let (house, name) = (Arc::clone(house), secret(names[number % names.len()]));
        calls.spawn(async move {
            let cent = question("mistral/n", &json!({"max_tokens": 1_000}));
            house.ask(&name, &cent).await
        });
    }
    let (mut answered, mut refused) = (0, 0);
    while let Some(reply) = calls.join_next().await {
        let reply = reply.unwrap();
        if reply.status == 200 {
            answered += 1;
            continue;
        }
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (429, "insufficient_quota"),
            "{}",
            reply.text()
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"));
        refused += 1;
    }
    (answered, refused)
}

fn slow() -> Vec<Exchange> {
    let answer = whole(1_000).after(Duration::from_millis(200));
    vec![Exchange::any("mistral", answer)]
}

fn budget(usd: &str) -> String {
    format!("budget = {{ usd = {usd}, period = \"day\" }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_at_once_a_budget_for_a_hundred_answers_a_hundred() {
    let _alone = ALONE.lock().await;
    let house = Arc::new(house(slow(), &key("ci", &budget("1.0"))).await);
    let began = Instant::now();
    assert_eq!(crowd(&house, &["ci"]).await, (100, 900));
    println!("a thousand calls on one budget took {:?}", began.elapsed());
    assert_eq!(house.sent(), 100, "what is refused is not sent");
    let purse = house.settled("key:ci").await;
    assert_eq!(purse.spent(), Money::nano(1_000_000_000));
    let house = Arc::into_inner(house).unwrap();
    assert_eq!(house.noted().await, Money::nano(1_000_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nested_budgets_let_no_more_through_on_first_use_of_the_tenant() {
    let _alone = ALONE.lock().await;
    let both = |name| key(name, &(budget("0.9") + "\ntenant = \"acme\""));
    let tenant = format!("[tenants.acme]\n{}\n", budget("1.0"));
    let all = "[budget]\nusd = 5.0\nperiod = \"day\"\n";
    let house = Arc::new(house(slow(), &(both("ci") + &both("cd") + &tenant + all)).await);
    assert_eq!(crowd(&house, &["ci", "cd"]).await, (100, 900));
    let dollar = Money::nano(1_000_000_000);
    for purse in ["tenant:acme", "all"] {
        assert_eq!(house.settled(purse).await.spent(), dollar, "{purse}");
    }
    let [one, other] = [house.settled("key:ci").await, house.settled("key:cd").await];
    assert_eq!(one.spent().plus(other.spent()), dollar);
    let house = Arc::into_inner(house).unwrap();
    assert_eq!(house.noted().await, dollar);
}

#[tokio::test]
async fn what_is_spent_is_spent_after_a_restart_too() {
    let period =
        |usd: &str, period: &str| format!("budget = {{ usd = {usd}, period = \"{period}\" }}");
    let config = |usd: &str| {
        key("root", &(period(usd, "total") + "\ntenants = [\"acme\"]"))
            + &key("leaf", "from = \"root\"\ntenant = \"acme\"")
            + &format!("[tenants.acme]\n{}\n", period("1.0", "month"))
    };
    let mut house = house(slow(), &config("0.03")).await;
    let cent = question("mistral/n", &json!({"max_tokens": 1_000}));
    for _ in 0..2 {
        assert_eq!(house.ask(&secret("leaf"), &cent).await.status, 200);
    }
    house = house.again(&config("0.03")).await;
    for purse in ["key:root", "tenant:acme"] {
        assert_eq!(
            house.settled(purse).await.spent(),
            CENT.plus(CENT),
            "{purse}"
        );
    }
    assert_eq!(house.ask(&secret("leaf"), &cent).await.status, 200);
    assert_eq!(house.ask(&secret("root"), &cent).await.status, 429);
    // Lowered below what is spent, and raised again.
    house = house.again(&config("0.01")).await;
    assert_eq!(house.ask(&secret("root"), &cent).await.status, 429);
    house = house.again(&config("0.05")).await;
    assert_eq!(house.ask(&secret("root"), &cent).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_within_a_second_is_waited_for() {
    // Reserved is a cent each, and a hundredth of it is used.
    let answer = whole(10).after(Duration::from_millis(300));
    let house = house(
        vec![Exchange::any("mistral", answer)],
        &key("ci", &budget("0.0101")),
    )
    .await;
    let cent = question("mistral/n", &json!({"max_tokens": 1_000}));
    let name = secret("ci");
    let (one, other) = tokio::join!(house.ask(&name, &cent), house.ask(&name, &cent));
    assert_eq!((one.status, other.status), (200, 200));
    let slow = whole(10).after(Duration::from_millis(2_500));
    house.providers.set([Exchange::any("mistral", slow)]);
    let small = question("mistral/n", &json!({"max_tokens": 900}));
    let began = Instant::now();
    let late = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        (house.ask(&name, &small).await.status, began.elapsed())
    };
    let (first, (status, waited)) = tokio::join!(house.ask(&name, &small), late);
    assert_eq!((first.status, status), (200, 429), "{:?}", began.elapsed());
    assert!((900..2_000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_budget_is_not_kept_by_guessing_a_price() {
    let keys =
        key("ci", &budget("1.0")) + &key("free", &(budget("1.0") + "\nunpriced = \"allow\""));
    let house = house(vec![Exchange::any("mistral", whole(5))], &keys).await;
    let unknown = question("mistral/nobody-sells-this", &json!({}));
    let refused = house.ask(&secret("ci"), &unknown).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    assert!(refused.text().contains("nobody-sells-this"));
    assert_eq!(house.sent(), 0);
    assert_eq!(house.ask(&secret("free"), &unknown).await.status, 200);
}

#[tokio::test]
async fn what_a_failed_attempt_may_have_cost_is_kept_and_a_refusal_comes_back() {
    let keys = key("ci", &budget("1.0")) + "[resilience]\nretries = 0\n";
    let refusal = Answer::json(429, r#"{"error":{"message":"slow down"}}"#);
    let house = house(vec![Exchange::any("mistral", refusal)], &keys).await;
    let cent = question("mistral/n", &json!({"max_tokens": 1_000}));
    assert_ne!(house.ask(&secret("ci"), &cent).await.status, 200);
    assert_eq!(house.settled("key:ci").await.spent(), Money::ZERO);
    let broken = whole(5).cut(0, waypost::fixture::End::Abort);
    house.providers.set([Exchange::any("mistral", broken)]);
    assert_ne!(house.ask(&secret("ci"), &cent).await.status, 200);
    let spent = house.settled("key:ci").await.spent();
    assert_eq!(spent, CENT, "a provider that took the request may bill it");
    assert_eq!(house.noted().await, spent);
}
