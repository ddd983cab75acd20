//! Usages told, told wrongly and not told at all, and whose word a cost is.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::house::{
    PLAIN, ask, house, house_of, nano, question, receipt, streamed, streamed_question, told, whole,
};

/// Nano-dollars of a usage at [`PLAIN`]'s price.
const fn at_list(prompt: u64, completion: u64) -> u64 {
    500 * prompt + 1_500 * completion
}

fn usage(prompt: impl Into<Value>, completion: impl Into<Value>) -> Value {
    json!({"prompt_tokens": prompt.into(), "completion_tokens": completion.into()})
}

#[tokio::test]
async fn a_stream_that_tells_no_usage_is_charged_for_what_went_by() {
    let text = "word ".repeat(34);
    let app = house("mistral", streamed(&[&text, &text], &[])).await;
    let asked = streamed_question(PLAIN);
    let reply = ask(&app, &[], &asked).await;
    let cost = &told(&reply)["cost"];
    assert_eq!(cost["exact"], false, "{cost}");
    assert_eq!(
        (&cost["source"], &cost["reason"]),
        (&json!("estimate"), &json!("usage_missing"))
    );
    // 340 bytes are 80 tokens at four and a quarter bytes each.
    let prompt = u64::try_from(asked.to_string().len()).unwrap() * 4 / 17;
    assert_eq!(nano(&cost["actual_usd"]), at_list(prompt, 80));
    let id = reply.header("x-request-id").unwrap();
    let receipt = receipt(&app, id).await;
    let kept = &receipt["cost"];
    assert_eq!(
        (&kept["source"], &kept["reason"]),
        (&cost["source"], &cost["reason"])
    );
    assert_eq!(kept["tokens"]["completion_tokens"], 80);
}

#[tokio::test]
async fn a_usage_that_cannot_be_is_not_billed_by() {
    let absurd = "usage_absurd";
    let rows = [
        (usage(10_u64, 1_000_000_000_000_000_000_u64), absurd),
        (usage(1_000_000_u64, 2_u64), absurd),
        (usage(10_u64, 5_000_u64), absurd),
        (usage(-1_i64, 2_u64), "usage_missing"),
        (usage(10_u64, -2_i64), "usage_missing"),
        (usage("10", 2_u64), "usage_missing"),
        (usage(10_u64, 1.5), "usage_missing"),
        (json!({}), "usage_missing"),
    ];
    for (bad, reason) in rows {
        for stream in [false, true] {
            let (app, asked) = if stream {
                let play = streamed(&["Hi there"], std::slice::from_ref(&bad));
                (house("mistral", play).await, streamed_question(PLAIN))
            } else {
                (house("mistral", whole(&bad)).await, question(PLAIN))
            };
            let cost = told(&ask(&app, &[], &asked).await)["cost"].clone();
            let said = (&cost["exact"], &cost["source"], &cost["reason"]);
            assert_eq!(
                said,
                (&json!(false), &json!("estimate"), &json!(reason)),
                "{bad} {stream}"
            );
            let prompt = u64::try_from(asked.to_string().len()).unwrap() * 4 / 17;
            assert_eq!(
                nano(&cost["actual_usd"]),
                at_list(prompt, 2),
                "{bad} {stream}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_told_is_believed_and_zero_stays_zero() {
    let rows = [
        (vec![usage(0_u64, 0_u64)], (0, 0)),
        (vec![usage(12_u64, 0_u64)], (12, 0)),
        (vec![usage(11_u64, 3_u64)], (11, 3)),
        (vec![usage(9_u64, 1_u64), usage(9_u64, 5_u64)], (9, 5)),
        (vec![usage(9_u64, 5_u64), usage(9_u64, 4_u64)], (9, 4)),
        (vec![usage(10.0, 4_u64)], (10, 4)),
    ];
    for (usages, (prompt, completion)) in rows {
        let app = house("mistral", streamed(&["Hi there"], &usages)).await;
        let cost = told(&ask(&app, &[], &streamed_question(PLAIN)).await)["cost"].clone();
        assert_eq!(
            (&cost["exact"], &cost["source"]),
            (&json!(true), &json!("usage")),
            "{usages:?}"
        );
        assert_eq!(cost.get("reason"), None);
        assert_eq!(
            nano(&cost["actual_usd"]),
            at_list(prompt, completion),
            "{usages:?}"
        );
    }
}

#[tokio::test]
async fn what_a_provider_says_that_it_cost_is_taken() {
    let rows = [
        (
            "openrouter",
            "openrouter/openai/gpt-6.1-sol",
            json!({"cost": 0.000_123_456_789_1}),
            123_457,
        ),
        (
            "openrouter",
            "openrouter/of-my/own",
            json!({"cost": 0.5}),
            500_000_000,
        ),
        (
            "openrouter",
            "openrouter/openai/gpt-6.1-sol",
            json!({"cost": 0}),
            0,
        ),
        (
            "xai",
            "xai/grok-4.7",
            json!({"cost_in_usd_ticks": 1_721_250}),
            172_125,
        ),
    ];
    for (provider, model, said, wanted) in rows {
        let mut usage = usage(10_u64, 20_u64);
        for (name, value) in said.as_object().unwrap() {
            usage[name] = value.clone();
        }
        let app = house(provider, whole(&usage)).await;
        let reply = ask(&app, &[], &question(model)).await;
        let cost = told(&reply)["cost"].clone();
        assert_eq!(
            (&cost["source"], &cost["exact"]),
            (&json!("provider"), &json!(true)),
            "{cost}"
        );
        assert_eq!(nano(&cost["actual_usd"]), wanted);
        let own_word = said.get("cost").unwrap_or_else(|| &cost["actual_usd"]);
        assert_eq!(&reply.json()["usage"]["cost"], own_word);
        let receipt = receipt(&app, reply.header("x-request-id").unwrap()).await;
        assert_eq!(
            receipt["cost"]["price_version"],
            Value::Null,
            "no price of ours"
        );
    }
}

/// Its tokens hold what it puts before a prompt itself, which it does not bill.
#[tokio::test]
async fn what_is_billed_goes_before_what_was_counted() {
    let body = json!({"id": "c", "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi there"}]},
        "usage": {"billed_units": {"input_tokens": 7, "output_tokens": 3},
            "tokens": {"input_tokens": 500, "output_tokens": 9}, "cached_tokens": 400}});
    let app = house("cohere", Answer::json(200, body.to_string())).await;
    let reply = ask(&app, &[], &question("cohere/command-a-03-2025")).await;
    let cost = &told(&reply)["cost"];
    assert_eq!(nano(&cost["actual_usd"]), 7 * 2_500 + 3 * 10_000);
    assert_eq!(cost["exact"], true);
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 500);
}

#[tokio::test]
async fn receipts_name_the_price_they_were_made_with() {
    let listed = house("mistral", whole(&usage(10_u64, 2_u64))).await;
    let own = "[[models]]\nid = \"mistral/mistral-large-2512\"\nprice = { input = \"3\", output = \"4\" }\n";
    let own = house_of(
        vec![Exchange::any("mistral", whole(&usage(10_u64, 2_u64)))],
        own,
    )
    .await;
    let mut versions = Vec::new();
    for (app, is_own, wanted) in [(&listed, false, at_list(10, 2)), (&own, true, 38_000)] {
        let reply = ask(app, &[], &question(PLAIN)).await;
        let cost = receipt(app, reply.header("x-request-id").unwrap()).await["cost"].clone();
        assert_eq!(
            (&cost["price_own"], nano(&cost["actual_usd"])),
            (&json!(is_own), wanted)
        );
        let version = cost["price_version"].as_str().unwrap().to_owned();
        let (since, hash) = version.split_once('/').unwrap();
        assert_eq!((since == "own", hash.len()), (is_own, 8), "{version}");
        versions.push(version);
    }
    assert_ne!(versions[0], versions[1]);
}
