//! Pools in order, by weight and by strategy; aliases; and how lists and caps meet them.

use serde_json::{Value, json};

use crate::own::{asked, own_house};
use crate::support::get;
use crate::world::{ask, last, overloaded, question, with};

const ORDER: &str = r#"
[pools.steady]
models = ["deepseek/deepseek-flash", "mistral/mistral-small-2603", "groq"]
[aliases]
"my-model" = "steady"
quick = "fastest"
small = "mistral/ministral-3b-2512"
"#;

#[tokio::test]
async fn a_pool_in_order_takes_its_first_and_falls_back_to_the_next() {
    let app = own_house(ORDER, &[]).await;
    for seed in ["1", "2", "3"] {
        let reply = ask(&app, &[("x-waypost-seed", seed)], &question("steady")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-waypost-provider"), Some("deepseek"));
        assert_eq!(reply.header("x-waypost-route-reason"), Some("pool"));
    }
    let app = own_house(
        ORDER,
        &[("deepseek", overloaded()), ("mistral", overloaded())],
    )
    .await;
    let reply = ask(&app, &[], &question("steady")).await;
    assert_eq!(
        (reply.status, reply.header("x-waypost-provider")),
        (200, Some("groq"))
    );
    let from = reply.header("x-waypost-fallback-from").unwrap();
    assert!(from.starts_with("deepseek/deepseek-flash:"), "{from}");
    assert_eq!(asked(&app), ["deepseek", "mistral", "groq"]);
}

#[tokio::test]
async fn what_cannot_do_the_job_is_passed_over() {
    let app = own_house(
        "[pools.mixed]\nmodels = [\"groq/openai/gpt-oss-120b\", \"mistral/mistral-small-2603\"]\n",
        &[],
    )
    .await;
    let image = json!({"messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]});
    let reply = ask(&app, &[], &with("mixed", &image)).await;
    assert_eq!(
        reply.header("x-waypost-provider"),
        Some("mistral"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn an_alias_means_a_pool_a_strategy_or_a_model() {
    let app = own_house(ORDER, &[]).await;
    let reply = ask(&app, &[], &question("my-model")).await;
    assert_eq!(reply.header("x-waypost-provider"), Some("deepseek"));
    let reply = ask(&app, &[], &question("quick")).await;
    assert_eq!(reply.header("x-waypost-strategy"), Some("fastest"));
    let reply = ask(&app, &[("x-waypost-model", "small")], &question("auto")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(last(&app)["model"], "ministral-3b-2512");
    let models = get(app.addr(), "/v1/models", &[]).await.json();
    let ids: Vec<&Value> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    for name in ["steady", "my-model", "quick", "auto"] {
        assert!(ids.contains(&&json!(name)), "{name}");
        let one = get(app.addr(), &format!("/v1/models/{name}"), &[]).await;
        assert_eq!(one.json()["owned_by"], "waypost");
    }
}

#[tokio::test]
async fn weights_share_and_a_seed_repeats() {
    let app = own_house(
        "[pools.mixed]\nmodels = [\"deepseek/deepseek-flash\", \"mistral/mistral-small-2603\"]\nweights = [80, 20]\n",
        &[],
    )
    .await;
    let mut first = 0;
    for seed in 0..100 {
        let seed = seed.to_string();
        let hint = [("x-waypost-seed", seed.as_str())];
        let reply = ask(&app, &hint, &question("mixed")).await;
        let again = ask(&app, &hint, &question("mixed")).await;
        let provider = reply.header("x-waypost-provider").unwrap();
        assert_eq!(again.header("x-waypost-provider"), Some(provider));
        first += u32::from(provider == "deepseek");
    }
    assert!((66..=92).contains(&first), "{first}");
}

#[tokio::test]
async fn a_pool_with_a_strategy_chooses_within_it_and_a_header_wins() {
    let text = "[pools.cheap]\nmodels = [\"mistral\", \"groq\"]\nstrategy = \"lowest-cost\"\nmax_cost_usd = 0.000001\n\
                [pools.open]\nmodels = [\"cheap\", \"deepseek/deepseek-v4-pro\"]\n\
                [pools.free]\nmodels = [\"mistral\", \"groq\"]\nstrategy = \"lowest-cost\"\n";
    let app = own_house(text, &[]).await;
    let reply = ask(&app, &[], &question("free")).await;
    assert_eq!(
        reply.header("x-waypost-strategy"),
        Some("lowest-cost"),
        "{}",
        reply.text()
    );
    assert!(["mistral", "groq"].contains(&reply.header("x-waypost-provider").unwrap()));
    let reply = ask(
        &app,
        &[("x-waypost-strategy", "fastest")],
        &question("free"),
    )
    .await;
    assert_eq!(reply.header("x-waypost-strategy"), Some("fastest"));
    let reply = ask(&app, &[("x-waypost-only", "groq")], &question("free")).await;
    assert_eq!(reply.header("x-waypost-provider"), Some("groq"));
    let hint = [("x-waypost-model", "mistral")];
    let reply = ask(&app, &hint, &question("free")).await;
    assert_eq!(reply.header("x-waypost-provider"), Some("mistral"));
    // The cap of a pool within holds for the pool round it.
    let cap = json!({"max_completion_tokens": 4000});
    let dear = [("x-waypost-cost-cap-mode", "reject")];
    for pool in ["cheap", "open"] {
        let reply = ask(&app, &dear, &with(pool, &cap)).await;
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["code"]),
            (402, &json!("max_cost_unreachable")),
            "{error}"
        );
    }
    let nothing = ask(&app, &[("x-waypost-only", "deepseek")], &question("free")).await;
    assert_eq!(nothing.status, 404, "{}", nothing.text());
}

const SPARE: &str = r#"
[pools.pair]
models = ["cerebras/gpt-oss-120b", "groq/openai/gpt-oss-20b"]
[pools.outer]
models = ["mistral/mistral-small-2603", "pair"]
[pools.capped]
models = ["groq/openai/gpt-oss-20b"]
max_cost_usd = 0.001
[pools.seven]
models = ["mistral/mistral-small-2603", "mistral/mistral-large-2512", "mistral/codestral-2508",
    "mistral/ministral-14b-2512", "mistral/ministral-8b-2512", "mistral/ministral-3b-2512", "groq/openai/gpt-oss-20b"]
[aliases]
second = "pair"
small = "mistral/ministral-3b-2512"
[experiments.half]
split = { "pair" = 1, "outer" = 1 }
"#;

const FIRST: &str = "deepseek/deepseek-flash";

/// The targets that were tried, in order, where all fail.
async fn tried(list: &str, more: &Value) -> Vec<String> {
    let all = crate::world::PROVIDERS.map(|name| (name, overloaded()));
    let app = own_house(SPARE, &all).await;
    let headers: &[(&str, &str)] = if list.is_empty() {
        &[]
    } else {
        &[("x-waypost-fallback", list)]
    };
    let reply = ask(&app, headers, &with(FIRST, more)).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    let seen = app.replay().unwrap().seen();
    seen.iter()
        .map(|seen| {
            format!(
                "{}/{}",
                seen.provider,
                seen.json()["model"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn a_fallback_list_names_pools_and_aliases_in_their_places() {
    let (oss, small) = ("cerebras/gpt-oss-120b", "mistral/mistral-small-2603");
    let (groq, tiny) = ("groq/openai/gpt-oss-20b", "mistral/ministral-3b-2512");
    let none = json!({});
    for pool in ["pair", "second"] {
        assert_eq!(tried(pool, &none).await, [FIRST, oss, groq], "{pool}");
    }
    assert_eq!(tried("outer", &none).await, [FIRST, small, oss, groq]);
    assert_eq!(tried("small,pair", &none).await, [FIRST, tiny, oss, groq]);
    assert_eq!(
        tried(&format!("{groq},pair,small"), &none).await,
        [FIRST, groq, oss, tiny]
    );
    let body = json!({"models": [FIRST, "second"], "fallbacks": ["small"]});
    assert_eq!(tried("", &body).await, [FIRST, oss, groq, tiny]);
}

#[tokio::test]
async fn a_fallback_list_may_leave_the_rest_to_a_strategy() {
    let found = tried("lowest-cost", &json!({})).await;
    assert!(found.len() > 2 && found[0] == FIRST, "{found:?}");
    let mut once = found.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), found.len(), "none is tried twice: {found:?}");
}

#[tokio::test]
async fn six_are_tried_and_those_beyond_are_told() {
    assert_eq!(tried("seven", &json!({})).await.len(), 6);
    let app = own_house(SPARE, &[]).await;
    let dry = [
        ("x-waypost-dry-run", "true"),
        ("x-waypost-fallback", "seven"),
    ];
    let plan = ask(&app, &dry, &question(FIRST)).await.json();
    assert_eq!(plan["attempts"].as_array().unwrap().len(), 6, "{plan}");
    assert_eq!(
        plan["beyond"],
        json!(["mistral/ministral-3b-2512", "groq/openai/gpt-oss-20b"])
    );
}

#[tokio::test]
async fn a_pools_cap_holds_for_the_call_that_may_come_to_it() {
    let app = own_house(SPARE, &[("deepseek", overloaded())]).await;
    let reply = ask(&app, &[("x-waypost-fallback", "capped")], &question(FIRST)).await;
    assert_eq!(
        (reply.status, reply.header("x-waypost-provider")),
        (200, Some("groq"))
    );
    let most: f64 = reply
        .header("x-waypost-cost-max-usd")
        .unwrap()
        .parse()
        .unwrap();
    assert!(most <= 0.001, "{most}");
    assert!(crate::world::limit(&last(&app)).is_some());
}

#[tokio::test]
async fn what_cannot_follow_is_refused_by_name() {
    let app = own_house(SPARE, &[]).await;
    let list = "x-waypost-fallback";
    for (name, word) in [("half", "an experiment"), ("pairs", "In the fallback list")] {
        let reply = ask(&app, &[(list, name)], &question(FIRST)).await;
        let error = reply.json()["error"].clone();
        assert!(
            (400..=404).contains(&reply.status) && error["param"] == list,
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    let body = json!({"model": "mistral/codestral-embed", "input": "Hi"});
    let path = "/v1/embeddings";
    let reply = crate::support::post(app.addr(), path, &[(list, "pair")], &body).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["param"]),
        (400, &json!(list))
    );
    assert!(asked(&app).is_empty());
}
