//! Keys, budgets and limits of a file: what is read, and where what is wrong stands.

use std::path::Path;

use super::super::Config;
use super::*;

fn read(text: &str) -> Result<Config, super::super::Problem> {
    let env = |name: &str| match name {
        "OPENAI_API_KEY" => Some("sk-provider".to_owned()),
        "CI_KEY" => Some("a-secret-of-some-length".to_owned()),
        _ => None,
    };
    Config::parse(text, Path::new("waypost.toml"), &env)
}

#[test]
fn all_that_a_key_may_is_read() {
    let text = r#"
listen = "0.0.0.0:80"
auth = "keys"
[budget]
usd = 500
period = "month"
unpriced = "allow"
[tenants.acme]
budget = { usd = "50.5", period = "total" }
rpm = 600
[[keys]]
name = "ci"
secret = "${CI_KEY}"
expires = "2027-01-31"
models = ["openai:gpt-4.1", "claude-sonnet-5-5"]
strategies = ["auto", "lowest-cost"]
tenant = "acme"
budget = { usd = 0.5, period = "day" }
rpm = 60
tpm = 100000
concurrency = 4
metadata = "off"
[[keys]]
name = "bot"
hash = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
from = "ci"
tenants = ["*"]
"#;
    let config = read(text).unwrap();
    assert_eq!(config.auth, Auth::Keys);
    let all = config.together.budget.unwrap();
    assert_eq!(
        (all.most, all.period),
        (Money::nano(500_000_000_000), Period::Month)
    );
    assert_eq!(config.together.unpriced, Unpriced::Allow);
    let acme = config.routing.tenant("acme").unwrap();
    assert_eq!(acme.budget.unwrap().most, Money::nano(50_500_000_000));
    assert_eq!(acme.limits.rpm, Some(600));
    let [ci, bot] = config.keys.as_slice() else {
        panic!("{:?}", config.keys);
    };
    assert_eq!(ci.hash, Hash::of("a-secret-of-some-length"));
    assert_eq!(ci.rights.models, [["openai/gpt-4.1", "claude-sonnet-5-5"]]);
    assert_eq!(
        (ci.rights.expires, ci.rights.metadata),
        (Some(1_801_353_600), Telling::Off)
    );
    assert_eq!(ci.rights.limits.concurrency, Some(4));
    assert_eq!(
        (bot.hash, bot.made_from.as_deref()),
        (Hash::of("abc"), Some("ci"))
    );
    let shown = format!("{:?}", config.keys);
    assert!(
        !shown.contains("a-secret") && !shown.contains("ba7816"),
        "{shown}"
    );
}

/// A key's table, line and column, part of the message.
const WRONG: &[(&str, &str, &str)] = &[
    ("name = \"a b\"", "4:8", "letters, digits"),
    ("name = \"a\"", "4:8", "a key has a hash"),
    ("name = \"a\"\nhash = \"abc\"", "5:8", "64 hexadecimal"),
    ("name = \"a\"\nsecret = \"short\"", "5:10", "20 characters"),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nhash = \"x\"",
        "5:10",
        "not both",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nrpm = 0",
        "6:7",
        "a rate is from 1",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nconcurrency = 0",
        "6:15",
        "1 at least",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nmodels = []",
        "6:10",
        "allows nothing",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nmodels = [\"gpd\"]",
        "6:11",
        "no model",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nstrategies = [\"x\"]",
        "6:15",
        "no strategy 'x'",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nexpires = \"soon\"",
        "6:11",
        "a time is",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nbudget = { usd = 1 }",
        "6:10",
        "period",
    ),
    (
        "name = \"a\"\nsecret = \"${CI_KEY}\"\nscope = 1",
        "6:1",
        "unknown field `scope`",
    ),
];
#[test]
fn what_is_wrong_is_told_where_it_stands() {
    for (key, place, message) in WRONG {
        let problem = read(&format!("auth = \"keys\"\n\n[[keys]]\n{key}\n")).unwrap_err();
        let told = problem.to_string();
        assert!(
            told.contains(&format!(":{place}:")) && told.contains(message),
            "{key}: {told}"
        );
    }
    let twice =
        "name = \"a\"\nsecret = \"${CI_KEY}\"\n[[keys]]\nname = \"b\"\nsecret = \"${CI_KEY}\"";
    let told = read(&format!("auth = \"keys\"\n[[keys]]\n{twice}"))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains(":7:10:") && told.contains("the key 'a' too"),
        "{told}"
    );
    assert!(!told.contains("a-secret"));
    let open = read("[[keys]]\nname = \"a\"\nsecret = \"${CI_KEY}\"").unwrap_err();
    assert!(open.to_string().contains("auth = \"keys\""), "{open}");
}
