//! Clouds in the configuration: what they must be told, and by whom.

use std::path::Path;

use super::*;

fn names(config: &Config) -> Vec<&str> {
    let active = config.active.iter();
    active.map(|active| active.provider.name.as_str()).collect()
}

/// Text, line and column, part of the message.
const WRONG: [(&str, &str, &str); 7] = [
    (
        "[providers.azure]\nresource = \"acme\"",
        "1:12",
        "AZURE_OPENAI_API_KEY",
    ),
    (
        "[providers.bedrock]\napi_key = \"k\"",
        "1:12",
        "no address without region",
    ),
    ("[providers.azure]", "1:12", "no address without resource"),
    (
        "[providers.azure]\nresource = \"a/b\"",
        "2:12",
        "resource must be letters, digits",
    ),
    (
        "[providers.azure]\nresource = \"r\"\nregion = \"eu\"",
        "3:1",
        "unknown field `region`, expected one of `dialect`",
    ),
    (
        "[providers.azure]\nresource = \"r\"\napi_version = 2024-10-21",
        "3:1",
        "must be text in quotes",
    ),
    (
        "[providers.azure]\nresource = \"r\"\ndeployments = { a = \"gpt-0\" }",
        "3:21",
        "not known to sell 'gpt-0'",
    ),
];

#[test]
fn what_a_cloud_lacks_is_shown_where_it_stands() {
    for (text, place, part) in WRONG {
        let problem = Config::parse(text, Path::new("waypost.toml"), &|_| None).unwrap_err();
        let problem = problem.to_string();
        let expected = format!("waypost.toml:{place}: ");
        assert!(
            problem.starts_with(&expected) && problem.contains(part),
            "{text}\n{problem}\n{expected}{part}"
        );
    }
}

#[test]
fn a_cloud_has_the_address_of_its_users_settings() {
    let url = |text: &str, env: &dyn Fn(&str) -> Option<String>| {
        let text = format!("{text}\napi_key = \"k\"");
        let config = Config::parse(&text, Path::new("waypost.toml"), env).unwrap();
        config.active[0].provider.base_url.clone()
    };
    let file = "[providers.azure]\nresource = \"acme\"\n";
    let v1 = "https://acme.openai.azure.com/openai/v1";
    assert_eq!(url(file, &|_| None), v1);
    let dated = format!("{file}api_version = \"2024-10-21\"");
    assert_eq!(
        url(&dated, &|_| None),
        "https://acme.openai.azure.com/openai"
    );
    let dated = format!("{dated}\napi_key = \"k\"");
    let quirks = Config::parse(&dated, Path::new("w"), &|_| None).unwrap();
    let quirks = &quirks.active[0].provider.quirks;
    assert!(quirks.deployment_paths && quirks.api_version == "2024-10-21");
    for end in ["", "/", "/openai", "/openai/v1", "/openai/v1/"] {
        let text = format!("[providers.azure]\nbase_url = \"https://acme.openai.azure.com{end}\"");
        assert_eq!(url(&text, &|_| None), v1, "{end}");
    }
    let endpoint = |name: &str| {
        let endpoint = name == "AZURE_OPENAI_ENDPOINT";
        endpoint.then(|| "https://acme.openai.azure.com/".to_owned())
    };
    assert_eq!(url("[providers.azure]", &endpoint), v1);
    let resource = |name: &str| (name == "AZURE_OPENAI_RESOURCE").then(|| "acme".to_owned());
    assert_eq!(url("[providers.azure]", &resource), v1);
    let own = "[providers.azure]\nbase_url = \"http://127.0.0.1:9/az\"";
    assert_eq!(url(own, &endpoint), "http://127.0.0.1:9/az/openai/v1");
}

#[test]
fn a_cloud_is_on_by_a_key_and_an_address() {
    let from = |set: &[(&str, &str)]| {
        let env = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::from_env(&env)
    };
    let key = ("AZURE_OPENAI_API_KEY", "k");
    let both = from(&[key, ("AZURE_OPENAI_RESOURCE", "acme")]).unwrap();
    assert_eq!(
        (names(&both).as_slice(), both.notes.len()),
        (["azure"].as_slice(), 0)
    );
    let homeless = from(&[key]).unwrap();
    assert!(homeless.active.is_empty());
    assert!(
        homeless.notes[0].contains("AZURE_OPENAI_RESOURCE")
            && homeless.notes[0].contains("AZURE_OPENAI_ENDPOINT"),
        "{:?}",
        homeless.notes
    );
    let wrong = from(&[key, ("AZURE_OPENAI_RESOURCE", "a.b")]).unwrap_err();
    assert!(
        wrong.message.contains("AZURE_OPENAI_RESOURCE must be"),
        "{wrong}"
    );
    let idle = from(&[("AZURE_OPENAI_RESOURCE", "acme")]).unwrap();
    assert!(idle.active.is_empty() && idle.notes.is_empty());
}
