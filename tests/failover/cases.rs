//! The faults, each judged by what the caller got and what the wall saw.

use std::time::Duration;

use serde_json::json;

use crate::does::Does;
use crate::house::{self, House, PAIRS, Told, WAITS};
use crate::words::{ANSWER_TOKENS, PROMPT_TOKENS};

const SECOND: Duration = Duration::from_secs(1);

/// Runs a case for every pair of dialects at once, streamed and whole, each in a house of its own.
async fn every(does: Does, judge: fn(&Told)) {
    every_with(does, &[true, false], judge).await;
}

async fn every_with(does: Does, streams: &[bool], judge: fn(&Told)) {
    house::every("", (does, Does::Answers), streams, judge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s01_a_short_retry_after_is_waited_out() {
    every(Does::LimitedOnce, |told| {
        told.complete();
        told.asked(2, 0);
        assert!(
            told.gap() >= SECOND.mul_f32(0.9),
            "{}: {:?}",
            told.what,
            told.gap()
        );
        assert!(told.took < 8 * SECOND, "{}: {:?}", told.what, told.took);
        assert_eq!(
            told.waypost()["attempts"][0]["outcome"],
            "rate_limit_exceeded"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s02_a_limit_without_end_is_left_after_pauses() {
    every(Does::LimitedForEver, |told| {
        told.complete();
        assert!((1..=6).contains(&told.primary.len()), "{}", told.what);
        assert!(
            told.within(3 * SECOND) <= 4,
            "{}: {:?}",
            told.what,
            told.primary
        );
        assert!(
            told.primary.len() < 2 || told.gap() >= Duration::from_millis(230),
            "{}",
            told.what
        );
        assert_eq!(told.fallback.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s03_a_server_error_is_asked_again() {
    every(Does::BrokenOnce, |told| {
        told.complete();
        told.asked(2, 0);
        assert_eq!(told.reply.header("x-waypost-provider"), Some("first"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_who_stays_down_is_left_for_the_fallback() {
    every(Does::DownForEver, |told| {
        told.complete();
        told.asked(3, 1);
        assert!(told.took < 10 * SECOND, "{}: {:?}", told.what, told.took);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s05_a_reset_before_any_answer_is_asked_again() {
    every(Does::ResetOnce, |told| {
        told.complete();
        told.asked(2, 0);
    })
    .await;
}

/// Only streams have chunks.
#[tokio::test(flavor = "multi_thread")]
async fn s10_a_malformed_chunk_is_skipped() {
    every_with(Does::Malformed, &[true], |told| {
        told.complete();
        told.asked(1, 0);
        assert_eq!(told.waypost()["skipped_events"], 1, "{}", told.what);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_a_stream_without_its_last_word_ends_at_once() {
    every_with(Does::NoDone, &[true], |told| {
        told.complete();
        assert!(told.took < 8 * SECOND, "{}: {:?}", told.what, told.took);
        assert_eq!(
            told.usage().unwrap()["completion_tokens"],
            ANSWER_TOKENS,
            "{}",
            told.what
        );
        assert_eq!(told.fallback.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_a_prompt_that_is_too_long_is_not_sent_again_but_elsewhere() {
    every(Does::TooLong, |told| {
        told.complete();
        told.asked(1, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_a_verdict_of_a_content_policy_is_the_answer() {
    every(Does::Filtered, |told| {
        told.asked(1, 0);
        if told.what.contains("(Gemini,") {
            // A blocked prompt is an answer there: it says why, and nothing of it is made up.
            let documents = told.documents();
            let ends =
                |one: &serde_json::Value| one["choices"][0]["finish_reason"] == "content_filter";
            assert!(documents.iter().any(ends), "{}: {documents:?}", told.what);
            assert!(
                told.reply.text().contains("PROHIBITED_CONTENT"),
                "{}",
                told.what
            );
            return;
        }
        let error = &told.reply.json()["error"];
        assert_eq!(
            (told.reply.status, &error["code"]),
            (400, &json!("content_filter")),
            "{}",
            told.what
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("content filtering policy"),
            "{}: {message}",
            told.what
        );
        assert_eq!(told.reply.header("x-should-retry"), Some("false"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s16_the_fallback_is_named_and_its_usage_told_and_nothing_else_is_billed() {
    every(Does::DownForEver, |told| {
        told.complete();
        assert_eq!(told.model(), Does::Answers.model(), "{}", told.what);
        let usage = told.usage().unwrap();
        assert_eq!(
            (&usage["prompt_tokens"], &usage["completion_tokens"]),
            (&json!(PROMPT_TOKENS), &json!(ANSWER_TOKENS)),
            "{}",
            told.what
        );
        let headers = [
            "x-waypost-provider",
            "x-waypost-model",
            "x-waypost-attempts",
        ]
        .map(|name| told.reply.header(name));
        assert_eq!(
            headers,
            [Some("second"), Some(Does::Answers.model()), Some("4")],
            "{}",
            told.what
        );
        let from = "first/w-503:overloaded";
        let from = [from; 3].join(", ");
        assert_eq!(told.reply.header("x-waypost-fallback-from"), Some(&*from));
        let attempts = told.waypost()["attempts"].as_array().unwrap().clone();
        let outcomes: Vec<_> = attempts
            .iter()
            .map(|one| one["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(
            outcomes,
            ["overloaded", "overloaded", "overloaded", "answered"]
        );
    })
    .await;
}

/// A primary that is down for a while: nobody is left without an answer, it is hardly asked meanwhile, and it is used
/// again soon after.
#[tokio::test(flavor = "multi_thread")]
async fn s15_a_primary_that_flaps_is_left_and_taken_back() {
    let runs = PAIRS.map(|pair| {
        tokio::spawn(async move {
            let house = House::new(pair, "").await;
            let down = WAITS.down;
            let mut back = None;
            let mut asked = 0;
            while house.wall.age() < down + 30 * SECOND && back.is_none() {
                let sent = house.wall.age();
                let told = house.call(Does::Flaps, Does::Answers, true).await;
                told.complete();
                let answers = told.primary.iter().any(|one| one.answered);
                back = answers.then_some(house.wall.age());
                if sent < down {
                    asked += told.primary.len();
                }
                tokio::time::sleep(SECOND.mul_f32(0.6)).await;
            }
            // Five open the breaker, which then lets one through every 3.75 s at most.
            assert!(asked <= 5 + 2, "{pair:?}: {asked} attempts in six seconds");
            let back = back.expect("it is used again within 30 s");
            assert!(back >= down, "{back:?}");
        })
    });
    for run in runs {
        run.await.unwrap();
    }
}
