//! What is wrong with what is asked for, or configured, is said by name, and nothing is sent.

use serde_json::{Value, json};
use waypost::app::App;
use waypost::cli::check::{self, CheckArgs};

use crate::own::own_house;
use crate::world::{ask, question, sent, with};

const CAP: &str = "x-waypost-max-cost-usd";
const TENANT: &str = "x-waypost-tenant";

const TENANTS: &str = r#"
[tenants.beta]
allow = ["groq"]
"#;

/// Asks, and sees that it is refused with this status, code and field, and words that help.
async fn refused(
    app: &App,
    headers: &[(&str, &str)],
    body: &Value,
    (status, code, param): (u16, &str, &str),
    words: &[&str],
) {
    let reply = ask(app, headers, body).await;
    let error = reply.json()["error"].clone();
    let found = (
        reply.status,
        error["code"].as_str(),
        error["param"].as_str(),
    );
    assert_eq!(
        found,
        (status, Some(code), Some(param)),
        "{headers:?} {body} {error}"
    );
    let message = error["message"].as_str().unwrap();
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
    assert_eq!(
        reply.header("x-should-retry"),
        Some("false"),
        "the same would be wrong again"
    );
    assert_eq!(sent(app), 0);
}

#[tokio::test]
async fn a_strategy_that_nobody_knows() {
    let app = own_house("", &[]).await;
    let param = "x-waypost-strategy";
    let wrong = (400, "invalid_value", param);
    for name in ["cheapest", "lowest cost", "lowest-cost!"] {
        refused(
            &app,
            &[(param, name)],
            &question("auto"),
            wrong,
            &[name, "lowest-cost"],
        )
        .await;
    }
    let body = with("auto", &json!({"waypost": {"strategy": "cheapest"}}));
    refused(&app, &[], &body, wrong, &["cheapest", "balanced"]).await;
    let unknown = (404, "model_not_found", "model");
    refused(
        &app,
        &[],
        &question("cheapest"),
        unknown,
        &["'cheapest' is not known"],
    )
    .await;
}

#[tokio::test]
async fn a_cap_that_is_no_amount() {
    let app = own_house("", &[]).await;
    let words = ["plain decimal", "0.02"];
    let bad = [
        "-1",
        "-0.01",
        "much",
        "",
        "NaN",
        "inf",
        "1e-3",
        "0,5",
        "$1",
        "0x1",
        "0.0000000001",
        "1.",
        "..",
    ];
    for cap in bad {
        refused(
            &app,
            &[(CAP, cap)],
            &question("auto"),
            (400, "invalid_value", CAP),
            &words,
        )
        .await;
    }
    for cap in [json!(-1), json!("much"), json!(-0.5), json!("1e-3")] {
        let body = with("auto", &json!({"waypost": {"max_cost_usd": cap}}));
        refused(
            &app,
            &[],
            &body,
            (400, "invalid_value", "waypost.max_cost_usd"),
            &words,
        )
        .await;
    }
    for cap in [json!(true), json!([1])] {
        let body = with("auto", &json!({"waypost": {"max_cost_usd": cap}}));
        let reply = ask(&app, &[], &body).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
    let mode = "x-waypost-cost-cap-mode";
    let words = ["clamp, reject or cut"];
    refused(
        &app,
        &[(mode, "hard")],
        &question("auto"),
        (400, "invalid_value", mode),
        &words,
    )
    .await;
}

#[tokio::test]
async fn a_cap_on_what_has_no_price() {
    let app = own_house("", &[]).await;
    let wrong = (402, "max_cost_unreachable", CAP);
    let capped = [(CAP, "1")];
    let words = ["mistral/of-my-own", "is not known", "waypost.toml"];
    refused(&app, &capped, &question("mistral/of-my-own"), wrong, &words).await;
    let listed = [capped[0], ("x-waypost-fallback", "mistral/of-my-own")];
    let none = [(CAP, "0.00000001"), listed[1]];
    let words = ["cheapest worst case is $"];
    refused(
        &app,
        &none,
        &question("mistral/mistral-large-2512"),
        wrong,
        &words,
    )
    .await;
}

#[tokio::test]
async fn a_tenant_that_is_not_known_or_may_not() {
    let app = own_house(TENANTS, &[]).await;
    let strange = (400, "invalid_value", TENANT);
    refused(
        &app,
        &[(TENANT, "omega")],
        &question("auto"),
        strange,
        &["'omega'", "beta"],
    )
    .await;
    let closed = (404, "model_not_found", "model");
    let beta = [(TENANT, "beta")];
    for model in [
        "mistral/mistral-small-2603",
        "mistral/of-my-own",
        "deepseek-flash",
    ] {
        refused(
            &app,
            &beta,
            &question(model),
            closed,
            &["not open to the tenant 'beta'"],
        )
        .await;
    }
    let only = [beta[0], ("x-waypost-only", "mistral")];
    refused(&app, &only, &question("auto"), closed, &["not-allowed"]).await;
}

#[tokio::test]
async fn lists_of_nobody_and_of_nothing() {
    let app = own_house("", &[]).await;
    for list in ["x-waypost-only", "x-waypost-ignore"] {
        let wrong = (400, "invalid_value", list);
        for names in ["nobody", "groq,", "groq/x,nobody/y"] {
            refused(&app, &[(list, names)], &question("auto"), wrong, &[]).await;
        }
    }
    let only = [("x-waypost-only", "groq")];
    let wrong = (400, "invalid_value", "x-waypost-only");
    refused(
        &app,
        &only,
        &question("mistral/mistral-small-2603"),
        wrong,
        &["leaves nothing"],
    )
    .await;
    let seed = "x-waypost-seed";
    refused(
        &app,
        &[(seed, "-1")],
        &question("auto"),
        (400, "invalid_value", seed),
        &["whole number"],
    )
    .await;
}

/// Configurations that cannot be used: the table, the line, and what `waypost check` says.
const CONFIGS: [(&str, &str); 9] = [
    (
        "[pools.a]\nmodels = [\"b\"]\n[pools.b]\nmodels = [\"a\"]",
        "a -> b -> a",
    ),
    ("[pools.a]\nmodels = [\"a\"]", "a -> a"),
    ("[pools.a]\nmodels = []", "the pool 'a' has nothing in it"),
    ("[pools.a]", "the pool 'a' has nothing in it"),
    (
        "[pools.a]\nmodels = [\"nothing-like-it\"]",
        "nothing-like-it",
    ),
    (
        "[pools.a]\nmodels = [\"groq\"]\nstrategy = \"cheapest\"",
        "no strategy 'cheapest'",
    ),
    ("[routing]\ndefault_strategy = \"cheapest\"", "lowest-cost"),
    ("[tenants.a]\nmax_cost_usd = -1", "amount of dollars"),
    ("[tenants.a]\nallow = [\"nobody\"]", "nobody"),
];

#[test]
fn a_configuration_is_refused_with_the_place_of_what_is_wrong() {
    let folder = std::env::temp_dir().join(format!("waypost-wrong-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("waypost.toml");
    let args = CheckArgs {
        config: Some(file.clone()),
        probe: false,
    };
    for (table, words) in CONFIGS {
        std::fs::write(
            &file,
            format!("[providers.groq]\napi_key = \"k\"\n{table}\n"),
        )
        .unwrap();
        let mut out = Vec::new();
        let checked = check::run(&args, &|_| None, &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(checked.exit_code(), 78, "{table}: {said}");
        assert!(said.contains(words), "{table}: {said}");
        let place = said
            .split_once("waypost.toml:")
            .map(|(_, rest)| rest.as_bytes()[0]);
        assert!(place.is_some_and(|digit| digit.is_ascii_digit()), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
