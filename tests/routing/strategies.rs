//! What is left open is chosen: by name, by header, within lists, by seed, and as a dry run.

use serde_json::{Value, json};
use waypost::fixture::Exchange;

use crate::world::{
    PROVIDERS, STRATEGIES, answer, ask, house, last, open_house, overloaded, question, sent, with,
};

#[tokio::test]
async fn each_strategy_answers_by_model_name_and_by_header() {
    let app = open_house().await;
    for strategy in STRATEGIES {
        let underscored = strategy.replace('-', "_");
        let hint = [("x-waypost-strategy", strategy)];
        let rows: [(&[(&str, &str)], &str); 3] =
            [(&[], strategy), (&[], &underscored), (&hint, "auto")];
        for (headers, model) in rows {
            let reply = ask(&app, headers, &question(model)).await;
            assert_eq!(reply.status, 200, "{model}: {}", reply.text());
            assert_eq!(reply.header("x-waypost-strategy"), Some(strategy));
            assert_eq!(reply.header("x-waypost-route-reason"), Some("strategy"));
            let provider = reply.header("x-waypost-provider").unwrap();
            assert!(PROVIDERS.contains(&provider));
            let body = reply.json();
            assert_eq!(body["waypost"]["strategy"], strategy);
            let cost = &body["waypost"]["cost"];
            assert_eq!(body["usage"]["cost"], cost["actual_usd"]);
            assert!(cost["estimated_usd"].as_f64().unwrap() > 0.0, "{cost}");
            assert_eq!(cost["exact"], true);
            let header = reply.header("x-waypost-cost-usd").unwrap();
            assert_eq!(json!(header.parse::<f64>().unwrap()), cost["actual_usd"]);
            assert!(reply.header("x-waypost-cost-estimated-usd").is_some());
            let asked = last(&app)["model"].as_str().map(str::to_owned);
            assert_eq!(asked.as_deref(), reply.header("x-waypost-model"));
        }
    }
}

#[tokio::test]
async fn auto_is_the_default_and_a_name_nobody_knows_is_refused() {
    let app = open_house().await;
    let reply = ask(&app, &[], &question("auto")).await;
    assert_eq!(reply.header("x-waypost-strategy"), Some("balanced"));
    let before = sent(&app);
    let reply = ask(
        &app,
        &[("x-waypost-strategy", "cheapest")],
        &question("auto"),
    )
    .await;
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["param"]),
        (400, &json!("x-waypost-strategy"))
    );
    assert!(
        error["message"].as_str().unwrap().contains("lowest-cost"),
        "{error}"
    );
    assert_eq!(sent(&app), before);
}

/// A hosted rival wants a model to be forced where there are tools.
#[tokio::test]
async fn tools_images_and_schemas_work_under_every_strategy() {
    let app = open_house().await;
    let tool = json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": "auto"});
    let image = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]});
    let schema = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true,
        "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
            "additionalProperties": false}}}});
    for strategy in STRATEGIES {
        for more in [&tool, &image, &schema] {
            let reply = ask(&app, &[], &with(strategy, more)).await;
            assert_eq!(reply.status, 200, "{strategy} {more}: {}", reply.text());
        }
        let seen = last(&app);
        assert!(seen.get("response_format").is_some(), "{seen}");
    }
}

#[tokio::test]
async fn the_same_seed_chooses_the_same_and_a_dry_run_sends_nothing() {
    let app = open_house().await;
    let choice = async |seed: &str| {
        let headers = [("x-waypost-dry-run", "true"), ("x-waypost-seed", seed)];
        let reply = ask(&app, &headers, &question("auto")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let plan = reply.json();
        assert_eq!(plan["plan"]["draw"]["seed"].to_string(), seed);
        plan["attempts"][0].clone()
    };
    for seed in ["1", "2", "3"] {
        assert_eq!(choice(seed).await, choice(seed).await);
    }
    assert_eq!(sent(&app), 0, "a dry run sends nothing");
    let plain = [("x-waypost-seed", "2")];
    let reply = ask(&app, &plain, &question("auto")).await;
    let chosen = format!(
        "{}/{}",
        reply.header("x-waypost-provider").unwrap(),
        reply.header("x-waypost-model").unwrap()
    );
    assert_eq!(choice("2").await["endpoint"], chosen);
}

#[tokio::test]
async fn a_dry_run_tells_candidates_reasons_and_costs_of_forced_routes_too() {
    let app = open_house().await;
    let dry = ("x-waypost-dry-run", "true");
    let reply = ask(
        &app,
        &[dry, ("x-waypost-ignore", "mistral")],
        &question("lowest-cost"),
    )
    .await;
    let plan = reply.json();
    let candidates = plan["plan"]["candidates"].as_array().unwrap();
    assert!(candidates.len() > 1);
    let rejected = plan["plan"]["rejected"].as_array().unwrap();
    let mut reasons = rejected.iter().map(|one| one["reason"].as_str().unwrap());
    assert!(reasons.any(|reason| reason == "ignored"), "{plan}");
    let forced = ask(&app, &[dry], &question("mistral/mistral-small-2603"))
        .await
        .json();
    assert_eq!(forced["route"], "forced");
    assert!(
        forced["cost"]["estimated_usd"].as_f64().unwrap() > 0.0,
        "{forced}"
    );
    assert_eq!(sent(&app), 0);
}

#[tokio::test]
async fn lists_narrow_the_choice() {
    let app = open_house().await;
    let rows = [
        ("x-waypost-only", "mistral", "mistral"),
        ("x-waypost-only", "cerebras/gpt-oss-120b", "cerebras"),
        ("x-waypost-ignore", "mistral, deepseek, groq", "cerebras"),
        ("x-waypost-model", "deepseek", "deepseek"),
    ];
    for (name, value, provider) in rows {
        let reply = ask(&app, &[(name, value)], &question("fastest")).await;
        assert_eq!(reply.status, 200, "{value}: {}", reply.text());
        assert_eq!(
            reply.header("x-waypost-provider"),
            Some(provider),
            "{value}"
        );
    }
    let before = sent(&app);
    let reply = ask(
        &app,
        &[("x-waypost-only", "openai/gpt-4.1")],
        &question("auto"),
    )
    .await;
    assert_eq!(reply.status, 404, "nothing is left: {}", reply.text());
    assert!(reply.text().contains("not-in-only"));
    let excluded = [("x-waypost-ignore", "mistral")];
    let reply = ask(&app, &excluded, &question("mistral/mistral-small-2603")).await;
    assert_eq!((reply.status, sent(&app)), (400, before));
}

#[tokio::test]
async fn a_bare_model_goes_to_the_host_that_the_strategy_prefers() {
    let app = open_house().await;
    let hint = [("x-waypost-strategy", "lowest-cost")];
    let reply = ask(&app, &hint, &question("gpt-oss-120b")).await;
    assert_eq!(
        reply.header("x-waypost-provider"),
        Some("groq"),
        "it is the cheaper host"
    );
    assert_eq!(reply.header("x-waypost-route-reason"), Some("model"));
    assert!(
        last(&app).get("reasoning_effort").is_none(),
        "a named model keeps its effort"
    );
    let only = [("x-waypost-only", "cerebras")];
    let reply = ask(&app, &only, &question("gpt-oss-120b")).await;
    assert_eq!(reply.header("x-waypost-provider"), Some("cerebras"));
}

#[tokio::test]
async fn the_plan_goes_on_where_a_provider_is_overloaded_and_learns_from_it() {
    let mut all = vec![Exchange::any("mistral", answer())];
    for name in ["groq", "deepseek", "cerebras"] {
        all.push(Exchange::any(name, overloaded()));
    }
    let app = house(all, None).await;
    let mut first = 0;
    for call in 0..12 {
        let reply = ask(
            &app,
            &[("x-waypost-max-cost-usd", "0.01")],
            &question("fastest"),
        )
        .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-waypost-provider"), Some("mistral"));
        let most: f64 = reply
            .header("x-waypost-cost-max-usd")
            .unwrap()
            .parse()
            .unwrap();
        assert!(most <= 0.01, "every attempt is inside the cap: {most}");
        let cost: f64 = reply.header("x-waypost-cost-usd").unwrap().parse().unwrap();
        assert!(cost <= 0.01);
        if call >= 6 && reply.header("x-waypost-attempts") == Some("1") {
            first += 1;
        }
    }
    assert!(first >= 5, "those that fail are left alone: {first} of 6");
}

#[tokio::test]
async fn full_metadata_tells_the_plan_and_none_tells_nothing() {
    let app = open_house().await;
    let full = ask(&app, &[("x-waypost-metadata", "full")], &question("auto"))
        .await
        .json();
    let candidates = full["waypost"]["plan"]["candidates"].as_array().unwrap();
    assert!(candidates.len() > 1);
    let off = ask(&app, &[("x-waypost-metadata", "off")], &question("auto"))
        .await
        .json();
    assert_eq!(
        (&off["waypost"], &off["usage"]["cost"]),
        (&Value::Null, &Value::Null)
    );
}

/// What a session's provider has read before is cheaper there, and the plan knows it.
#[tokio::test]
async fn a_session_is_remembered_where_it_was_answered() {
    let app = open_house().await;
    let long = json!({"messages": [{"role": "user", "content": "A long story. ".repeat(1_500)}]});
    let hints = [
        ("x-waypost-session", "chat-7"),
        ("x-waypost-only", "mistral"),
    ];
    let cached = async || {
        let headers = [hints[0], hints[1], ("x-waypost-dry-run", "true")];
        let plan = ask(&app, &headers, &with("lowest-cost", &long))
            .await
            .json();
        let candidates = plan["plan"]["candidates"].as_array().unwrap().clone();
        let warm = |one: &&Value| one["predicted"]["cached_tokens"].as_u64() > Some(0);
        candidates
            .iter()
            .filter(warm)
            .map(|one| one["endpoint"].clone())
            .collect::<Vec<_>>()
    };
    assert!(cached().await.is_empty(), "nothing was read yet");
    let reply = ask(&app, &hints, &with("lowest-cost", &long)).await;
    let model = format!("mistral/{}", reply.header("x-waypost-model").unwrap());
    let warm = cached().await;
    let names: Vec<&str> = warm.iter().filter_map(Value::as_str).collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| name.starts_with(&model)),
        "{names:?}"
    );
}

#[tokio::test]
async fn strategies_of_the_configuration_are_found_by_name() {
    let text = "[strategies.mine]\norder = \"cost\"\n";
    let place = std::path::Path::new("waypost.toml");
    let config = waypost::config::Config::parse(text, place, &|_| None).unwrap();
    let exchanges = vec![Exchange::any("mistral", answer())];
    let app = crate::support::app_with(exchanges, config).await;
    let reply = ask(&app, &[], &question("mine")).await;
    assert_eq!(
        reply.header("x-waypost-strategy"),
        Some("mine"),
        "{}",
        reply.text()
    );
}

/// Hundreds of endpoints that a list leaves out are a number, not their names.
#[tokio::test]
async fn what_lists_leave_out_is_counted_and_not_listed() {
    let app = open_house().await;
    let only = [("x-waypost-only", "mistral/mistral-small-2603")];
    let floor = with("lowest-cost", &json!({"n": 4, "logprobs": true}));
    let strict = [only[0], ("x-waypost-params", "strict")];
    let reply = ask(&app, &strict, &floor).await;
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(reply.status, 404, "{message}");
    assert!(
        message.contains("mistral/mistral-small-2603: loss-")
            && message.ends_with("more: not-in-only."),
        "{message}"
    );
    assert!(message.len() < 600, "{message}");
}

/// Figures that nobody has measured are marked in a plan.
#[tokio::test]
async fn a_plan_marks_what_is_interpolated_between_efforts() {
    let app = open_house().await;
    let dry = [("x-waypost-dry-run", "true"), ("x-waypost-only", "groq")];
    let plan = ask(&app, &dry, &question("auto")).await.json();
    let all = plan["plan"]["candidates"].as_array().unwrap();
    let of = |effort: Value| {
        let mut own = all
            .iter()
            .filter(|one| one["model"] == "openai/gpt-oss-120b");
        own.find(|one| one["effort"] == effort).unwrap()["predicted"].clone()
    };
    let (low, high) = (of(json!("low")), of(json!("high")));
    assert_eq!(
        low["interpolated"],
        json!(["quality", "thinking_tokens"]),
        "{low}"
    );
    assert_eq!(
        high["interpolated"],
        json!(["thinking_tokens"]),
        "the best effort is listed: {high}"
    );
    assert!(low["thinking_tokens"].as_u64() < high["thinking_tokens"].as_u64());
}
