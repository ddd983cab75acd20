//! Calls that are copied, repeated, drained, cut or refused for their budget: what each held comes back, and a restart
//! knows what they have spent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use waypost::account::Money;
use waypost::fixture::{Answer, End, Exchange, Play};

use crate::house::{ALONE, CHAT, House, house, key, question, secret, streamed, whole};
use crate::support;

/// How many calls end in all.
const CALLS: usize = 2_000;

/// How many are under way at once.
const AT_ONCE: usize = 50;

const MORE: &str = r#"
[[models]]
id = "deepseek/broken"
max_output = 1000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "deepseek/failing"
max_output = 1000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "deepseek/closing"
max_output = 1000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "deepseek/long"
max_output = 10000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "deepseek/watched"
max_output = 1000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "mistral/long"
max_output = 10000
price = { input = 0.0, output = 10.0 }
[experiments.watch]
applies_to = ["deepseek/watched"]
shadow = "mistral/n"
"#;

fn keys() -> String {
    let limits = "tenant = \"acme\"\nrpm = 1000000\ntpm = 1000000000\nconcurrency = 1000\n";
    "[budget]\nusd = 1000.0\nperiod = \"total\"\n".to_owned()
        + &key(
            "rich",
            &format!("{limits}budget = {{ usd = 900.0, period = \"month\" }}"),
        )
        + &key(
            "poor",
            &format!("{limits}budget = {{ usd = 0.05, period = \"total\" }}"),
        )
        + "[tenants.acme]\nconcurrency = 1000\nbudget = { usd = 950.0, period = \"day\" }\n"
        + MORE
}

fn exchanges() -> Vec<Exchange> {
    let words = || std::iter::repeat_n("word", 100);
    let broken = streamed(words(), 100).cut(20, End::Abort);
    let long = || {
        let long = streamed(std::iter::repeat_n("word", 400), 400);
        Play::from(long.paced(Duration::from_millis(2)))
    };
    vec![
        Exchange::model("deepseek", "m", streamed(words(), 100)),
        Exchange::model("deepseek", "broken", broken),
        Exchange::model("deepseek", "failing", Answer::json(500, "{}")),
        Exchange::model("deepseek", "closing", Play::reset()),
        Exchange::model("deepseek", "long", long()),
        Exchange::model("deepseek", "watched", whole(50)),
        Exchange::model("mistral", "long", long()),
        Exchange::model("mistral", "n", whole(50)),
    ]
}

/// The ways in which a call can end.
#[derive(Clone, Copy, Debug)]
enum Way {
    Answered,
    Streamed,
    Failed,
    Closed,
    FellBack,
    Broken,
    GoneAtOnce,
    GoneInMidStream,
    Drained,
    Copied,
    Repeated,
    Cut,
    Refused,
}

const WAYS: [Way; 13] = [
    Way::Answered,
    Way::Streamed,
    Way::Failed,
    Way::Closed,
    Way::FellBack,
    Way::Broken,
    Way::GoneAtOnce,
    Way::GoneInMidStream,
    Way::Drained,
    Way::Copied,
    Way::Repeated,
    Way::Cut,
    Way::Refused,
];

impl Way {
    fn body(self) -> Value {
        let streamed = json!({"stream": true, "max_tokens": 900});
        match self {
            Self::Answered | Self::Repeated => question("mistral/n", &json!({"max_tokens": 100})),
            Self::Streamed => question("deepseek/m", &streamed),
            Self::Failed => question("deepseek/failing", &json!({"max_tokens": 100})),
            Self::Closed => question("deepseek/closing", &streamed),
            Self::FellBack => question(
                "deepseek/failing",
                &json!({"max_tokens": 100, "fallbacks": ["mistral/n"]}),
            ),
            Self::Broken => question("deepseek/broken", &streamed),
            Self::GoneAtOnce | Self::GoneInMidStream => question("deepseek/long", &streamed),
            Self::Drained => question("mistral/long", &streamed),
            Self::Copied => question("deepseek/watched", &json!({"max_tokens": 100})),
            Self::Cut => question("deepseek/m", &json!({"stream": true, "max_tokens": 5_000})),
            Self::Refused => question("mistral/n", &json!({"max_tokens": 100_000})),
        }
    }

    /// One call that ends so.
    async fn walk(self, house: &House, n: usize) {
        let poor = matches!(self, Self::Cut | Self::Refused);
        let key = secret(if poor { "poor" } else { "rich" });
        let body = self.body();
        match self {
            Self::GoneAtOnce => {
                let asking = house.open(&key, &body);
                let wait = Duration::from_millis(u64::try_from(n % 20).unwrap());
                // Where the head is not there by then, the connection is dropped with the question.
                let _ = tokio::time::timeout(wait, asking).await;
            }
            Self::GoneInMidStream | Self::Drained => {
                let mut live = house.open(&key, &body).await;
                let _ = live.next().await;
            }
            Self::Repeated => {
                let bearer = format!("Bearer {key}");
                let again = format!("call-{n}");
                let headers = [
                    ("authorization", bearer.as_str()),
                    ("idempotency-key", again.as_str()),
                ];
                for _ in 0..2 {
                    let reply = support::post(house.app.addr(), CHAT, &headers, &body).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                }
            }
            Self::Answered
            | Self::Streamed
            | Self::Failed
            | Self::Closed
            | Self::FellBack
            | Self::Broken
            | Self::Copied
            | Self::Cut
            | Self::Refused => self.check(&house.ask(&key, &body).await),
        }
    }

    /// That it ended as it was meant to.
    fn check(self, reply: &support::Reply) {
        let text = reply.text();
        match self {
            Self::Answered | Self::Copied | Self::Streamed => {
                assert_eq!(reply.status, 200, "{self:?}: {text}");
            }
            Self::Refused => assert_eq!(reply.status, 429, "{text}"),
            Self::Failed | Self::Closed => assert!(reply.status >= 500, "{self:?}: {text}"),
            Self::Broken => assert!(!text.contains("[DONE]"), "{text}"),
            // The target may rest by now; the poor key's budget may be spent before the first byte.
            Self::FellBack
            | Self::Cut
            | Self::GoneAtOnce
            | Self::GoneInMidStream
            | Self::Drained
            | Self::Repeated => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_call_it_keeps_nothing_back() {
    let _alone = ALONE.lock().await;
    let keys = keys();
    let house = Arc::new(house(exchanges(), &keys).await);
    let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut calls = Vec::new();
    for n in 0..CALLS {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let house = Arc::clone(&house);
        calls.push(tokio::spawn(async move {
            WAYS[n % WAYS.len()].walk(&house, n).await;
            drop(place);
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let purses = ["key:rich", "key:poor", "tenant:acme", "all"];
    let mut spent = Vec::new();
    for purse in purses {
        spent.push(house.settled(purse).await.spent());
    }
    for gate in ["key:rich", "key:poor", "tenant:acme"] {
        assert_eq!(house.app.inside(gate).await, 0, "{gate}");
    }
    assert!(spent[1] <= Money::nano(50_000_000), "{:?}", spent[1]);
    assert_eq!(spent[0].plus(spent[1]), spent[2]);
    let house = Arc::into_inner(house).unwrap();
    let house = house.again(&keys).await;
    for (purse, before) in purses.into_iter().zip(&spent) {
        let after = house.settled(purse).await.spent();
        assert_eq!(after, *before, "{purse} after a restart");
    }
    assert_eq!(house.noted().await, spent[3], "and the ledger has the same");
}
