//! Tenants: the pin, the lists, the cap, the pool; and who is unknown.

use serde_json::json;

use crate::own::own_house;
use crate::world::{ask, last, question, sent, with};

const TENANTS: &str = r#"
[pools.house]
models = ["deepseek/deepseek-flash"]
[tenants.acme]
model = "mistral/mistral-small-2603"
[tenants.beta]
allow = ["groq", "cerebras/gemma-4-31b"]
deny = ["groq/openai/gpt-oss-20b"]
strategy = "fastest"
[tenants.gamma]
max_cost_usd = 0.000001
cost_cap_mode = "reject"
[tenants.delta]
pool = "house"
"#;

#[tokio::test]
async fn a_pinned_tenant_always_gets_its_model() {
    let app = own_house(TENANTS, &[]).await;
    let acme = ("x-waypost-tenant", "acme");
    for (header, body) in [
        (None, "auto"),
        (None, "groq/llama-3.1-8b-instant"),
        (Some("deepseek"), "x"),
    ] {
        let mut headers = vec![acme];
        headers.extend(header.map(|model| ("x-waypost-model", model)));
        let reply = ask(&app, &headers, &question(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(last(&app)["model"], "mistral-small-2603");
        assert_eq!(reply.json()["waypost"]["tenant"], "acme");
    }
    let listed = [acme, ("x-waypost-fallback", "groq/llama-3.1-8b-instant")];
    let reply = ask(&app, &listed, &question("auto")).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["param"]),
        (400, &json!("x-waypost-fallback"))
    );
}

#[tokio::test]
async fn lists_hold_for_strategies_and_for_names() {
    let app = own_house(TENANTS, &[]).await;
    let beta = ("x-waypost-tenant", "beta");
    for strategy in ["auto", "lowest-cost", "max-reliability"] {
        let reply = ask(&app, &[beta], &question(strategy)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let (provider, model) = (
            reply.header("x-waypost-provider"),
            reply.header("x-waypost-model"),
        );
        let allowed = provider == Some("groq") || model == Some("gemma-4-31b");
        assert!(
            allowed && model != Some("openai/gpt-oss-20b"),
            "{provider:?} {model:?}"
        );
        let wanted = if strategy == "auto" {
            "fastest"
        } else {
            strategy
        };
        assert_eq!(reply.header("x-waypost-strategy"), Some(wanted));
    }
    let before = sent(&app);
    for model in [
        "mistral/mistral-small-2603",
        "groq/openai/gpt-oss-20b",
        "deepseek/unheard-of",
    ] {
        let reply = ask(&app, &[beta], &question(model)).await;
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["code"]),
            (404, &json!("model_not_found")),
            "{model}"
        );
    }
    assert_eq!(sent(&app), before);
    // Of the hosts of one model those that are open to it.
    let reply = ask(&app, &[beta], &question("gpt-oss-120b")).await;
    assert_eq!(
        reply.header("x-waypost-provider"),
        Some("groq"),
        "{}",
        reply.text()
    );
    let fallback = [beta, ("x-waypost-fallback", "mistral/mistral-small-2603")];
    let app = own_house(TENANTS, &[("groq", crate::world::overloaded())]).await;
    let reply = ask(&app, &fallback, &question("groq/openai/gpt-oss-120b")).await;
    assert!(reply.status >= 500, "{}", reply.text());
    assert_eq!(sent(&app), 1, "the fallback is not open to the tenant");
}

#[tokio::test]
async fn a_tenants_cap_may_be_lowered_and_not_raised() {
    let app = own_house(TENANTS, &[]).await;
    let gamma = ("x-waypost-tenant", "gamma");
    let long = with(
        "mistral/mistral-small-2603",
        &json!({"max_completion_tokens": 4000}),
    );
    for cap in [None, Some("1"), Some("0.0000005")] {
        let mut headers = vec![gamma];
        headers.extend(cap.map(|cap| ("x-waypost-max-cost-usd", cap)));
        let reply = ask(&app, &headers, &long).await;
        let code = &reply.json()["error"]["code"];
        assert_eq!((reply.status, code), (402, &json!("max_cost_unreachable")));
    }
    assert_eq!(sent(&app), 0);
}

#[tokio::test]
async fn a_tenants_pool_is_what_auto_means_and_strangers_are_refused() {
    let app = own_house(TENANTS, &[]).await;
    let reply = ask(&app, &[("x-waypost-tenant", "delta")], &question("auto")).await;
    assert_eq!(
        reply.header("x-waypost-provider"),
        Some("deepseek"),
        "{}",
        reply.text()
    );
    let body = with("auto", &json!({"waypost": {"tenant": "delta"}}));
    assert_eq!(
        ask(&app, &[], &body).await.header("x-waypost-route-reason"),
        Some("pool")
    );
    let reply = ask(&app, &[("x-waypost-tenant", "omega")], &question("auto")).await;
    let error = &reply.json()["error"];
    assert_eq!(
        (reply.status, &error["param"]),
        (400, &json!("x-waypost-tenant"))
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("acme, beta, gamma, delta"),
        "{error}"
    );
    // Where none is configured, the name is a label.
    let app = own_house("", &[]).await;
    let reply = ask(&app, &[("x-waypost-tenant", "omega")], &question("auto")).await;
    assert_eq!(reply.json()["waypost"]["tenant"], "omega");
}
