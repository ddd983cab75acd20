//! Silence brings help and ends nobody: who is asked beside whom, how often, who goes on, and what is told of the rest.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::does::Does;
use crate::house::{self, House, PAIRS, Told};
use crate::support;

/// Help is begun after a second, where the wall takes six.
const LIMITS: &str = "[resilience]\nttft_timeout = \"1s\"\nstall_timeout = \"1s\"\nretries = 0\n";

const SECOND: Duration = Duration::from_secs(1);

/// How the attempts of a call ended, in order.
fn outcomes(told: &Told) -> Vec<String> {
    let attempts = told.waypost()["attempts"].clone();
    let each = attempts.as_array().cloned().unwrap_or_default();
    let each = each.iter().map(|one| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("model"), text("outcome"))
    });
    each.collect()
}

/// The limit starts help and ends nobody: where help fails, who was slow still answers.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_to_send_a_head_is_not_given_up() {
    house::every(
        LIMITS,
        (Does::SlowToHead, Does::DownForEver),
        &[true],
        |told| {
            told.complete();
            told.asked(1, 1);
            assert!(told.took >= 5 * SECOND, "{}: {:?}", told.what, told.took);
            assert_eq!(
                outcomes(told),
                ["w-503 overloaded", "w-slow-head answered"],
                "{}",
                told.what
            );
            assert_eq!(told.reply.header("x-waypost-provider"), Some("first"));
            assert_eq!(told.waypost()["rescue"], Value::Null, "{}", told.what);
        },
    )
    .await;
}

/// Whoever speaks first answers, and is named by the head; the other is told of.
#[tokio::test(flavor = "multi_thread")]
async fn who_answers_beside_one_without_a_head_is_named() {
    let house = House::new(PAIRS[3], LIMITS).await;
    let told = house.call(Does::SlowToHead, Does::Answers, true).await;
    assert!(told.is_complete(), "{}: {}", told.what, told.reply.text());
    assert!(told.took < 5 * SECOND, "{:?}", told.took);
    assert_eq!(
        outcomes(&told),
        ["w-slow-head upstream_timeout", "w-ok answered"]
    );
    let head =
        ["x-waypost-provider", "x-waypost-fallback-from"].map(|name| told.reply.header(name));
    assert_eq!(
        head,
        [Some("second"), Some("first/w-slow-head:upstream_timeout")]
    );
    assert_eq!(told.waypost()["rescue"]["how"], "restart");
}

/// Before anything was shown a failure keeps its status, and the message names all who were asked.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_said_a_word_the_status_tells() {
    for first in [Does::DiesUnheard, Does::SlowToSpeak, Does::SlowToHead] {
        let house = House::new(PAIRS[0], LIMITS).await;
        let list = format!("second/{}", Does::DownForEver.model());
        let hints = [
            ("x-waypost-fallback", list.as_str()),
            ("x-waypost-timeout-ms", "3000"),
        ];
        let hints = if first == Does::DiesUnheard {
            &hints[..1]
        } else {
            &hints[..]
        };
        let told = house
            .ask(&format!("first/{}", first.model()), hints, true)
            .await;
        let text = told.reply.text();
        let status = if first == Does::DiesUnheard { 502 } else { 504 };
        assert_eq!(told.reply.status, status, "{}: {text}", told.what);
        assert_eq!(told.reply.header("x-should-retry"), Some("false"));
        if first != Does::SlowToSpeak {
            let named = "Every target failed: second/w-503 (overloaded), first/";
            assert!(text.contains(named), "{text}");
        }
        told.asked(1, 1);
    }
}

/// One after the other is asked beside those who are silent, twice at most; who speaks first goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_third_is_asked_beside_two_who_are_silent() {
    let house = House::new(PAIRS[0], LIMITS).await;
    let list = "second/w-silent, second/w-ok";
    let told = house
        .ask("first/w-slow-head", &[("x-waypost-fallback", list)], true)
        .await;
    assert!(told.is_complete(), "{}: {}", told.what, told.reply.text());
    assert!(told.took < 5 * SECOND, "{:?}", told.took);
    assert_eq!(
        outcomes(&told),
        [
            "w-slow-head upstream_timeout",
            "w-silent upstream_timeout",
            "w-ok answered"
        ]
    );
    let list = "second/w-silent, second/w-silent-too, second/w-ok";
    let told = house
        .ask("first/w-slow-head", &[("x-waypost-fallback", list)], true)
        .await;
    assert!(told.is_complete(), "{}: {}", told.what, told.reply.text());
    assert!(told.took > 5 * SECOND, "{:?}", told.took);
    assert_eq!(told.fallback.len(), 2, "help is called twice at most");
    assert_eq!(
        outcomes(&told).last().map(String::as_str),
        Some("w-slow-head answered")
    );
}

/// Others are asked for one call in twenty, or three in ten seconds; the rest wait for who is slow.
#[tokio::test(flavor = "multi_thread")]
async fn help_has_a_share_of_its_own() {
    const CALLS: usize = 8;
    let house = Arc::new(House::new(PAIRS[0], LIMITS).await);
    let calls = (0..CALLS).map(|_| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let list = [("x-waypost-fallback", "second/w-ok")];
            let body = json!({"model": "first/w-slow-head", "stream": true,
                "messages": [{"role": "user", "content": "What did the lamp do?"}]});
            support::post(house.app.addr(), "/v1/chat/completions", &list, &body).await
        })
    });
    let calls: Vec<_> = calls.collect();
    let mut by = Vec::new();
    for call in calls {
        let reply = call.await.unwrap();
        assert!(reply.clean && reply.text().contains("[DONE]"));
        by.push(reply.header("x-waypost-provider").unwrap().to_owned());
    }
    let helped = by.iter().filter(|name| *name == "second").count();
    assert_eq!((helped, by.len()), (3, CALLS), "{by:?}");
    assert_eq!(house.wall.seen("second").len(), 3);
}

/// Silence ends at its limit, however often others were asked meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn help_that_fails_does_not_make_silence_longer() {
    let limits = format!("{LIMITS}idle_timeout = \"3s\"\n");
    for (first, status) in [("first/w-silent", 504), ("first/w-stall", 200)] {
        let house = House::new(PAIRS[0], &limits).await;
        let list = [("x-waypost-fallback", "second/w-503")];
        let told = house.ask(first, &list, true).await;
        let text = told.reply.text();
        assert_eq!(told.reply.status, status, "{first}: {text}");
        assert!(!told.is_complete() && !text.contains("[DONE]"), "{text}");
        let took = told.took;
        assert!(took >= 3 * SECOND && took < 4 * SECOND, "{first}: {took:?}");
        told.asked(1, 1);
        let code = text.contains("upstream_idle_timeout");
        assert_eq!(code, status == 200, "{first}: {text}");
    }
}

/// Whoever is let go has a row with what it may have cost, and the call is told and billed with it.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_go_has_its_row_and_is_paid() {
    let path = std::env::temp_dir().join(format!("waypost-beside-{}.db", fastrand::u64(..)));
    let price = |name: &str| {
        format!(
            "[[models]]\nid = \"{name}\"\nprice = {{ input = 1.0, output = 2.0 }}\nmax_output = 400\n"
        )
    };
    let (slow, fast) = (price("first/w-slow-head"), price("second/w-ok"));
    let ledger = format!("[ledger]\npath = \"{}\"\n", path.display());
    let house = House::new(PAIRS[0], &format!("{LIMITS}{ledger}{slow}{fast}")).await;
    let told = house.call(Does::SlowToHead, Does::Answers, true).await;
    assert!(told.is_complete(), "{}", told.reply.text());
    let waypost = told.waypost();
    let id = told.reply.header("x-request-id").unwrap().to_owned();
    let receipt = support::get(house.app.addr(), &format!("/v1/receipts/{id}"), &[]).await;
    let receipt = receipt.json();
    assert_eq!(receipt["rescue"], waypost["rescue"], "{receipt}");
    assert_eq!(receipt["rescue"]["from"], "first/w-slow-head");
    house.app.stop().await;
    let db = waypost::store::sqlite::open_to_read(&path).unwrap();
    let rows = |sql: &str| {
        let mut rows = db.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows: Vec<(String, i64)> = rows.unwrap().map(Result::unwrap).collect();
        rows
    };
    let attempts = rows("SELECT outcome, cost FROM attempts ORDER BY attempt");
    let outcomes: Vec<_> = attempts
        .iter()
        .map(|(outcome, _)| outcome.as_str())
        .collect();
    assert_eq!(outcomes, ["upstream_timeout", "answered"]);
    assert!(attempts.iter().all(|(_, cost)| *cost > 0), "{attempts:?}");
    let sum: i64 = attempts.iter().map(|(_, cost)| cost).sum();
    assert_eq!(
        rows("SELECT outcome, cost FROM calls"),
        [("answered".to_owned(), sum)]
    );
    let usage = told.usage().unwrap()["cost"].as_f64().unwrap();
    let nano = format!("{:.0}", usage * 1e9).parse::<i64>().unwrap();
    assert_eq!(nano, sum, "{usage}");
    let _ = std::fs::remove_file(&path);
}

/// By the configuration's word, or the caller's, nobody is asked beside anybody.
#[tokio::test(flavor = "multi_thread")]
async fn help_can_be_turned_off() {
    let list = ("x-waypost-fallback", "second/w-ok");
    let rows = [
        ("hedge = \"off\"\n", None),
        ("rescue = \"off\"\n", None),
        ("", Some(("x-waypost-hedge", "off"))),
        ("", Some(("x-waypost-rescue", "off"))),
    ];
    let runs = rows.map(|(words, hint)| {
        tokio::spawn(async move {
            let house = House::new(PAIRS[0], &format!("{LIMITS}{words}")).await;
            let hints: Vec<_> = [Some(list), hint].into_iter().flatten().collect();
            let told = house.ask("first/w-slow-head", &hints, true).await;
            assert!(told.is_complete(), "{words}: {}", told.reply.text());
            told.asked(1, 0);
        })
    });
    for run in runs {
        run.await.unwrap();
    }
    let house = House::new(PAIRS[0], &format!("{LIMITS}hedge = \"off\"\n")).await;
    let on = [list, ("x-waypost-hedge", "auto")];
    let told = house.ask("first/w-slow-head", &on, true).await;
    told.asked(1, 1);
}
