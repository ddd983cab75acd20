//! What needs a second provider beside a silent one, or the rescue of a stream that has begun.

use std::time::Duration;

use serde_json::Value;

use crate::does::Does;
use crate::house::{self, House, PAIRS, Told};
use crate::words::ANSWER;

/// Limits in the measure of the wall's waits: help is begun after a second, where the wall takes six.
const LIMITS: &str = "[resilience]\nttft_timeout = \"1s\"\nstall_timeout = \"1s\"\n";

const SECOND: Duration = Duration::from_secs(1);

/// One fault for every pair of dialects; the answer is whole all the same.
async fn every(does: Does, fallback: Does, judge: fn(&Told)) {
    house::every(LIMITS, (does, fallback), &[true], judge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s06_who_is_silent_is_asked_once_and_somebody_else_answers() {
    every(Does::Silent, Does::Answers, |told| {
        told.complete();
        told.asked(1, 1);
        assert!(told.took < 5 * SECOND, "{}: {:?}", told.what, told.took);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_a_slow_first_token_is_not_waited_for() {
    every(Does::SlowToSpeak, Does::Answers, |told| {
        told.complete();
        told.asked(1, 1);
        assert!(told.took < 5 * SECOND, "{}: {:?}", told.what, told.took);
        assert_eq!(told.model(), Does::Answers.model(), "{}", told.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s08_a_stream_that_is_cut_is_made_whole() {
    every(Does::Cut, Does::Answers, |told| {
        told.complete();
        assert_eq!(told.primary.len(), 1, "{}", told.what);
        assert_eq!(told.fallback.len(), 1, "{}", told.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s09_a_stream_that_stalls_is_made_whole() {
    every(Does::Stalls, Does::Answers, |told| {
        told.complete();
        assert!(told.took < 6 * SECOND, "{}: {:?}", told.what, told.took);
        assert_eq!(told.fallback.len(), 1, "{}", told.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s14_a_fallback_that_takes_no_prefill_makes_a_cut_stream_whole() {
    every(Does::Cut, Does::NoPrefill, |told| {
        told.complete();
        assert!(
            told.fallback.iter().any(|one| one.answered),
            "{}",
            told.what
        );
        assert!(
            !told.reply.text().contains("takes no prefill"),
            "{}",
            told.what
        );
    })
    .await;
}

/// A fallback that says it otherwise is not glued on: what came is the beginning of one answer, and then an error.
#[tokio::test(flavor = "multi_thread")]
async fn other_words_are_never_glued_on() {
    for pair in PAIRS {
        let house = House::new(pair, LIMITS).await;
        let told = house.call(Does::Cut, Does::OtherWords, true).await;
        let events = told.reply.events();
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        assert_eq!(
            last["error"]["code"], "upstream_stream_truncated",
            "{}: {last}",
            told.what
        );
        assert!(
            !told.reply.clean && !told.reply.text().contains("[DONE]"),
            "{}",
            told.what
        );
        let said: String = told.documents().iter().map(said).collect();
        assert!(
            ANSWER.starts_with(&said) && said.len() > 100,
            "{}: {said}",
            told.what
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_carried_on_is_told_and_can_be_turned_off() {
    let house = House::new(PAIRS[0], LIMITS).await;
    let told = house.call(Does::Cut, Does::Answers, true).await;
    let waypost = told.waypost();
    assert_eq!(waypost["rescue"]["how"], "verified", "{waypost}");
    assert_eq!(waypost["rescue"]["from"], "first/w-cut");
    assert!(waypost["rescue"]["at_chars"].as_u64().unwrap() > 100);
    assert_eq!(
        waypost["attempts"][0]["outcome"],
        "upstream_stream_truncated"
    );
    assert_eq!(
        told.reply.text().matches("\"role\":\"assistant\"").count(),
        1
    );

    let fallback = ("x-waypost-fallback", "second/w-ok");
    let off = [fallback, ("x-waypost-rescue", "off")];
    let told = house.ask("first/w-cut", &off, true).await;
    assert!(
        !told.reply.clean && told.fallback.is_empty(),
        "{}",
        told.reply.text()
    );
    let off = [fallback, ("x-waypost-hedge", "off")];
    let told = house.ask("first/w-slow", &off, true).await;
    assert!(
        told.is_complete() && told.fallback.is_empty(),
        "{}",
        told.reply.text()
    );
    let patient = [fallback, ("x-waypost-ttft-timeout-ms", "60000")];
    let told = house.ask("first/w-slow", &patient, true).await;
    assert!(
        told.is_complete() && told.fallback.is_empty(),
        "{}",
        told.reply.text()
    );
    let wrong = [("x-waypost-rescue", "always")];
    let told = house.ask("first/w-ok", &wrong, true).await;
    assert_eq!(told.reply.status, 400);
}

/// Without another target a stream that broke off ends in an error, and nothing is asked twice.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_alone_is_not_asked_again_and_silence_is_waited_for() {
    let house = House::new(PAIRS[0], LIMITS).await;
    let told = house.ask("first/w-cut", &[], true).await;
    assert!(
        told.primary.len() == 1 && !told.reply.clean,
        "{}",
        told.reply.text()
    );
    let told = house.ask("first/w-slow", &[], true).await;
    assert!(
        told.is_complete() && told.primary.len() == 1,
        "{}",
        told.reply.text()
    );
}

fn said(document: &Value) -> String {
    let said = document["choices"][0]["delta"]["content"].as_str();
    said.unwrap_or_default().to_owned()
}
