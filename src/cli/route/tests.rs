//! Tests of `waypost route`.

use std::path::PathBuf;

use super::*;

fn printed(args: &RouteArgs, request: &str) -> (u8, String) {
    let mut out = Vec::new();
    let code = run(args, &mut request.as_bytes(), &mut out);
    (code, String::from_utf8(out).unwrap())
}

/// Every provider of the catalogue, and no configuration but an empty one.
fn all() -> RouteArgs {
    let config = std::env::temp_dir().join(format!("waypost-route-{}.toml", std::process::id()));
    std::fs::write(&config, "").unwrap();
    RouteArgs {
        config: Some(config),
        all: true,
        seed: Some("7".to_owned()),
        ..RouteArgs::default()
    }
}

const HELLO: &str = r#"{"model":"auto","messages":[{"role":"user","content":"Say hello"}]}"#;

fn with(change: impl FnOnce(&mut RouteArgs)) -> RouteArgs {
    let mut args = all();
    change(&mut args);
    args
}

#[test]
fn the_table_ranks_and_says_why_others_fell_out() {
    let args = with(|args| {
        args.only = Some("anthropic".to_owned());
        args.max_cost_usd = Some("0.01".to_owned());
    });
    let (code, text) = printed(&args, HELLO);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.starts_with("anthropic/") && text.contains("route strategy balanced"),
        "{text}"
    );
    assert!(
        text.contains("with seed 7") && text.contains("cap $0.01 (clamp)"),
        "{text}"
    );
    assert!(
        text.contains("UTILITY")
            && text.contains("not-in-only (")
            && text.contains("Nothing was sent."),
        "{text}"
    );
}

#[test]
fn json_is_that_of_a_dry_run_and_replays() {
    let args = with(|args| {
        args.json = true;
        args.only = Some("openai,anthropic".to_owned());
    });
    let (code, text) = printed(&args, HELLO);
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, plan["object"].as_str()), (0, Some("waypost.plan")));
    assert!(["priors", "snapshot"].contains(&plan["statistics"].as_str().unwrap()));
    let first = &plan["plan"]["candidates"][0];
    assert_eq!(first["provider"], plan["provider"]);
    assert!(first["score"]["utility"].is_number() && first["cost"]["max_usd"].is_number());
    assert!(!plan["plan"]["rejected"].as_array().unwrap().is_empty());
    let (again, told) = printed(
        &RouteArgs {
            replay: Some(PathBuf::from("-")),
            ..RouteArgs::default()
        },
        &text,
    );
    assert!(again == 0 && told.ends_with("the same choice\n"), "{told}");
    let forged = text.replace("\"seed\": 7", "\"seed\": 8");
    let (again, told) = printed(
        &RouteArgs {
            replay: Some(PathBuf::from("-")),
            ..RouteArgs::default()
        },
        &forged,
    );
    assert!(again == 1 && told.ends_with("NOT the same\n"), "{told}");
}

#[test]
fn a_named_model_is_told_as_it_is_tried() {
    let request = HELLO.replace("auto", "openai/gpt-4.1");
    let (code, text) = printed(&all(), &request);
    assert_eq!(code, 0);
    assert!(
        text.starts_with("openai/gpt-4.1, route forced") && text.contains("EXPECTED"),
        "{text}"
    );
}

#[test]
fn what_is_wrong_has_its_exit_code() {
    type Case = (fn(&mut RouteArgs), &'static str, u8);
    let table: [Case; 9] = [
        (|_| {}, "", 65),
        (|_| {}, "{\"model\":", 65),
        (|_| {}, "{\"model\":\"auto\",\"messages\":7}", 65),
        (
            |args| args.strategy = Some("cheapest".to_owned()),
            HELLO,
            65,
        ),
        (|args| args.max_cost_usd = Some("-1".to_owned()), HELLO, 65),
        (|args| args.only = Some("nobody".to_owned()), HELLO, 65),
        (
            |args| {
                args.max_cost_usd = Some("0.000000001".to_owned());
                args.only = Some("openai".to_owned());
            },
            HELLO,
            69,
        ),
        (
            |args| args.config = Some(PathBuf::from("/nowhere/waypost.toml")),
            HELLO,
            78,
        ),
        (|args| args.all = false, HELLO, 69),
    ];
    for (at, (change, request, wanted)) in table.into_iter().enumerate() {
        let args = with(change);
        if !args.all
            && !Config::load(args.config.as_deref(), &config::environment)
                .unwrap()
                .active
                .is_empty()
        {
            // Whoever runs the tests has keys.
            continue;
        }
        assert_eq!(printed(&args, request).0, wanted, "{at}: {request}");
    }
    let replay = RouteArgs {
        replay: Some(PathBuf::from("-")),
        ..RouteArgs::default()
    };
    assert_eq!(printed(&replay, "{\"plan\":{}}").0, 65);
    let replay = RouteArgs {
        replay: Some(PathBuf::from("/nowhere.json")),
        ..RouteArgs::default()
    };
    assert_eq!(printed(&replay, "").0, 66);
}
