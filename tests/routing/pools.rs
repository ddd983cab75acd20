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
