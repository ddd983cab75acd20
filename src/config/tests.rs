//! What a file may say, what it may not, and where that is shown.

use std::path::Path;
use std::time::Duration;

use crate::catalog::{Rate, Trust};

use super::*;

fn env(name: &str) -> Option<String> {
    match name {
        "OPENAI_API_KEY" => Some("sk-openai".to_owned()),
        "GOOGLE_API_KEY" => Some("g-key".to_owned()),
        "GROQ_API_KEY" => Some(String::new()),
        "URL" => Some("http://127.0.0.1:9".to_owned()),
        _ => None,
    }
}

fn parse(text: &str) -> Result<Config, Problem> {
    Config::parse(text, Path::new("waypost.toml"), &env)
}

fn names(config: &Config) -> Vec<&str> {
    config
        .active
        .iter()
        .map(|active| active.provider.name.as_str())
        .collect()
}

fn key(config: &Config, name: &str) -> Vec<String> {
    let active = config
        .active
        .iter()
        .find(|active| active.provider.name == name)
        .unwrap();
    active
        .keys
        .iter()
        .map(|key| key.reveal().to_owned())
        .collect()
}

#[test]
fn without_a_file_the_usual_variables_decide() {
    let config = Config::from_env(&env).unwrap();
    assert_eq!(names(&config), ["openai", "google"]);
    assert_eq!(key(&config, "google"), ["g-key"]);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    let both = |name: &str| name.starts_with('G').then(|| name.to_owned());
    assert_eq!(
        key(&Config::from_env(&both).unwrap(), "google"),
        ["GEMINI_API_KEY"]
    );
    let bare = Config::bare().unwrap();
    assert!(bare.active.is_empty() && bare.notes.is_empty());
    assert_eq!(
        (bare.limits, bare.resilience),
        (Limits::default(), Resilience::default())
    );
}

const EXAMPLE: &str = r#"
        listen = "127.0.0.1:8080"
        unknown_hints = "warn"
        metadata = "full"
        [providers.openai]
        [providers.lab]
        dialect = "openai"
        base_url = "http://10.0.0.5:8000/v1/"
        [providers.my-anthropic]
        dialect = "anthropic"
        base_url = "${URL}"
        api_keys = ["a", "b", "a"]
        headers = { X-Team = "blue" }
        quirks = { stop_max = 3, rename = { seed = "random_seed" } }
        [[models]]
        id = "lab/qwen3-32b"
        price = { input = 0.0, output = 0.0 }
        quality = 62
        context = 32768
        caps = { tools = true, reasoning = { kind = "toggle" } }
        [resilience]
        retries = 0
        timeout = "500ms"
        commit_after = "0"
        [limits]
        body = "128MiB"
        in_flight = 7
        "#;

#[test]
fn the_example_of_the_contract_is_taken() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(
        names(&config),
        ["openai", "lab", "my-anthropic"],
        "in the order of the file"
    );
    assert_eq!(key(&config, "my-anthropic"), ["a", "b"]);
    assert_eq!(
        (config.metadata, config.unknown_hints),
        (Metadata::Full, UnknownHints::Warn)
    );
    assert_eq!(
        (config.resilience.timeout, config.resilience.commit_after),
        (Duration::from_millis(500), Duration::ZERO)
    );
    assert_eq!(
        (config.limits.body, config.limits.in_flight),
        (128 << 20, 7)
    );
    let mine = config.catalog.provider("my-anthropic").unwrap();
    assert_eq!(mine.base_url, "http://127.0.0.1:9");
    assert_eq!(
        (mine.quirks.stop_max, mine.quirks.headers["x-team"].as_str()),
        (Some(3), "blue")
    );
    let lab = config.catalog.provider("lab").unwrap();
    assert_eq!(lab.base_url, "http://10.0.0.5:8000/v1");
    let qwen = lab.resolve("qwen3-32b");
    let (model, price) = (qwen.model.unwrap(), qwen.price.unwrap());
    assert_eq!(
        (price.rates.input, price.trust),
        (Rate::default(), Trust::Own)
    );
    assert_eq!(
        (
            model.quality.unwrap().index.as_tenths(),
            qwen.caps.context,
            qwen.caps.tools
        ),
        (620, Some(32_768), Some(true))
    );
    assert_eq!(
        config.notes,
        ["GOOGLE_API_KEY is set, but [providers.google] is not in the file, so it is off"]
    );
}

#[test]
fn models_and_quirks_are_laid_over_ours() {
    let config = parse(
        r#"
        [providers.openai]
        [providers.mistral]
        api_key = "m"
        quirks = { stop_max = 2 }
        [[models]]
        id = "openai/gpt-5.6-sol"
        max_output = 9
        caps = { reasoning = { can_disable = false } }
        [[models]]
        id = "gemini/gemini-9-new"
        price = { input = 0.1, output = "0.4", cache_write = { "5m" = 1 } }
        [[models]]
        id = "openai/gpt-5.6"
        price = { input = 1, output = 2 }
        "#,
    )
    .unwrap();
    let openai = config.catalog.provider("openai").unwrap();
    let sol = openai.resolve("gpt-5.6-sol");
    assert_eq!(
        (sol.caps.max_output, sol.caps.context, sol.caps.vision),
        (Some(9), Some(1_050_000), Some(true))
    );
    assert_eq!(
        (
            sol.caps.reasoning.can_disable,
            sol.caps.reasoning.levels.len()
        ),
        (Some(false), 6)
    );
    assert_eq!(sol.price.unwrap().rates.input, Rate::parse("4").unwrap());
    let alias = openai.resolve("gpt-5.6");
    assert_eq!(
        (alias.model.unwrap().id.as_str(), alias.caps.context),
        ("gpt-5.6", Some(1_050_000))
    );
    assert_eq!(alias.price.unwrap().rates.output, Rate::parse("2").unwrap());
    let google = config.catalog.provider("gemini").unwrap();
    let new = google.resolve("gemini-9-new");
    assert_eq!(
        (new.price.unwrap().rates.input, new.caps.context),
        (Rate::parse("0.1").unwrap(), None)
    );
    assert_eq!(
        google.resolve("gemini-3.8-flash").caps.context,
        Some(1_048_576)
    );
    let mistral = &config.catalog.provider("mistral").unwrap().quirks;
    assert_eq!((mistral.stop_max, mistral.nine_letter_ids), (Some(2), true));
}

/// Text, line and column, part of the message.
const WRONG: &[(&str, &str, &str)] = &[
    ("lisen = \"x\"", "1:1", "unknown field `lisen`"),
    ("listen = 8080", "1:10", "invalid type"),
    ("\n\nlisten = \"8080\"", "3:10", "not an address"),
    ("listen = \"0.0.0.0:80\"", "1:10", "could spend your keys"),
    ("auth = \"all\"", "1:8", "not \"all\""),
    ("metadata = \"some\"", "1:12", "unknown variant"),
    (
        "[state]\nurl = \"x\"",
        "2:7",
        "[state] url cannot be read as an address",
    ),
    (
        "[ledger]\npostgres = \"x\"",
        "2:12",
        "[ledger] postgres cannot be read as an address",
    ),
    (
        "[ledger]\nretention = \"soon\"",
        "2:13",
        "not a number of days like",
    ),
    ("x = 1\nx = 2", "2:1", "duplicate key"),
    (
        "[providers.openai]\napi_key = \"${NOPE}\"",
        "2:11",
        "NOPE is not set",
    ),
    (
        "[providers.openai]\napi_key = \"\"",
        "2:11",
        "the key is empty",
    ),
    ("[providers.openai]\napi_key = \"a b\"", "2:11", "blanks"),
    (
        "[providers.openai]\napi_key = \"a\"\napi_keys = [\"b\"]",
        "3:12",
        "not both",
    ),
    ("[providers.openai]\napi_keys = []", "2:12", "no key"),
    (
        "[providers.openai]\napikey = \"a\"",
        "2:1",
        "unknown field `apikey`",
    ),
    ("[providers.groq]", "1:12", "GROQ_API_KEY"),
    (
        "[providers.lab]\nbase_url = \"http://x\"",
        "1:12",
        "needs dialect and base_url",
    ),
    (
        "[providers.azure]\nresource = \"acme\"",
        "1:12",
        "AZURE_OPENAI_API_KEY",
    ),
    ("[providers.cohere]", "1:12", "COHERE_API_KEY or CO_API_KEY"),
    ("[providers.\"a/b\"]", "1:12", "letters, digits"),
    (
        "[providers.lab]\ndialect = \"latin\"\nbase_url = \"http://x\"",
        "2:11",
        "no dialect 'latin'",
    ),
    (
        "[providers.openai]\nbase_url = \"api.openai.com\"",
        "2:12",
        "must begin with",
    ),
    (
        "[providers.openai]\nbase_url = \"http://10.0.0.1/v1\"",
        "2:12",
        "unencrypted",
    ),
    (
        "[providers.openai]\nquirks = { stop_max = 1, nope = 2 }",
        "2:26",
        "unknown field `nope`",
    ),
    (
        "[providers.openai.quirks]\nstop_max = \"a\"",
        "2:12",
        "invalid type",
    ),
    (
        "[providers.openai]\nheaders = { host = \"x\" }",
        "2:20",
        "cannot be set",
    ),
    (
        "[providers.openai]\n[providers.gemini]\napi_key = \"a\"\n[providers.google]\napi_key = \"b\"",
        "4:12",
        "one provider",
    ),
    ("[providers]\nazure = 1", "2:9", "[providers.NAME]"),
    ("models = 1", "1:10", "[[models]]"),
    ("[[models]]\nid = \"gpt-5\"", "2:6", "provider/model"),
    (
        "[[models]]\nid = \"nobody/m\"",
        "2:6",
        "no provider 'nobody'",
    ),
    (
        "[[models]]\nid = \"openai/m\"\nprice = { input = -1, output = 1 }",
        "3:19",
        "not a price",
    ),
    (
        "[[models]]\nid = \"openai/m\"\nquality = 101",
        "3:11",
        "from 0 to 100",
    ),
    (
        "[[models]]\nid = \"openai/m\"\n[models.caps]\ntool = true",
        "4:1",
        "unknown field `tool`",
    ),
    (
        "[[models]]\nid = \"openai/m\"\naliases = [\"o3\"]",
        "2:6",
        "another model",
    ),
    ("[limits]\nbody = \"1GiB\"", "2:8", "from 1KiB to 128MiB"),
    ("[limits]\nin_flight = 0", "2:13", "from 1 to"),
    ("[resilience]\ntimeout = \"10\"", "2:11", "length of time"),
    (
        "[resilience]\ntimeout = \"0s\"",
        "2:11",
        "longer than nothing",
    ),
    ("# \u{e9}\u{e9}\n'\u{e9}' = 1", "2:1", "unknown field"),
];

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    for (text, place, part) in WRONG {
        let problem = parse(text).unwrap_err().to_string();
        let expected = format!("waypost.toml:{place}: ");
        assert!(
            problem.starts_with(&expected) && problem.contains(part),
            "{text}\n{problem}\n{expected}{part}"
        );
        assert!(!problem.contains('\n'), "{problem}");
    }
}

#[test]
fn keys_do_not_leave_in_the_clear_or_to_strangers() {
    let lab = "[providers.lab]\ndialect = \"openai\"\nbase_url = \"http://10.0.0.1\"\n";
    assert!(parse(lab).is_ok(), "nothing to give away");
    assert!(parse(&format!("{lab}api_key = \"k\"")).is_err());
    assert!(parse(&format!("{lab}api_key = \"k\"\nallow_http = true")).is_ok());
    assert!(parse("[providers.openai]\nbase_url = \"http://localhost:1/v1\"").is_ok());
    let open = parse("listen = \"0.0.0.0:80\"\nauth = \"none\"\n").unwrap();
    assert!(open.check_listen(open.listen).is_ok());
    assert!(
        Config::bare()
            .unwrap()
            .check_listen("[::]:80".parse().unwrap())
            .is_err()
    );
    let config = parse("[providers.openai]\napi_key = \"sk-very-secret\"\n").unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
}

#[test]
fn passthrough_never_holds_a_key() {
    let config = parse("auth = \"passthrough\"\nlisten = \"0.0.0.0:80\"").unwrap();
    assert!(names(&config).contains(&"anthropic") && !names(&config).contains(&"ollama"));
    assert!(config.active.iter().all(|active| active.keys.is_empty()));
    let named = parse("auth = \"passthrough\"\n[providers.openai]").unwrap();
    assert!(named.active.len() == 1 && key(&named, "openai").is_empty());
    let kept = parse("auth = \"passthrough\"\n[providers.openai]\napi_key = \"k\"").unwrap_err();
    assert_eq!((kept.line, kept.column), (Some(3), Some(11)));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let problem = Config::load(Some(Path::new("/no/such/waypost.toml")), &env).unwrap_err();
    assert!(
        problem
            .to_string()
            .starts_with("/no/such/waypost.toml: cannot be read"),
        "{problem}"
    );
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(parse(&deep).is_err());
}

#[test]
fn any_name_of_a_provider_may_be_used_in_the_file() {
    let config = parse("[providers.gemini]\n[providers.ollama]\n[providers.vllm]\nbase_url = \"http://gpu:8000/v1\"").unwrap();
    assert_eq!(names(&config), ["google", "ollama", "vllm"]);
    assert_eq!(key(&config, "google"), ["g-key"]);
    let later = "[providers.azure]\ndialect = \"openai\"\nbase_url = \"https://r.openai.azure.com/openai/v1\"\nheaders = { api-key = \"k\" }";
    assert_eq!(names(&parse(later).unwrap()), ["azure"]);
}
