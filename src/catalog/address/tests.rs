//! Addresses out of settings.

use super::super::setting::unfit;
use super::*;

const CLOUD: &str = r#"
name = "cloud"
dialect = "openai"
base_url = "https://{place}-ai.example.com"
prefix = "/v1/projects/{project}/places/{place}"
[settings.place]
env = ["CLOUD_PLACE"]
default = "global"
[settings.project]
env = ["CLOUD_PROJECT"]
[settings.version]
[[variants]]
setting = "place"
is = ["global"]
base_url = "https://ai.example.com"
[[variants]]
setting = "place"
is = ["us", "eu"]
base_url = "https://ai.{place}.example.com"
[[variants]]
setting = "project"
keyed_without = true
prefix = "/v1"
[[variants]]
setting = "version"
is = ["next"]
quirks = { api_version = "{version}" }
[[variants]]
setting = "version"
prefix = "/dated"
quirks = { api_version = "{version}", required_choice = "{any}" }
"#;

fn form(given: &[(&str, &str)]) -> ProviderForm {
    let mut form: ProviderForm = toml::from_str(CLOUD).unwrap();
    for (name, value) in given {
        form.given.give(name, value);
    }
    form
}

fn url(form: &ProviderForm) -> String {
    form.address().url
}

#[test]
fn values_names_and_defaults_make_an_address() {
    let bare = form(&[]).address();
    assert_eq!(
        (
            bare.url.as_str(),
            bare.shape.as_str(),
            bare.missing.as_slice()
        ),
        (
            "https://ai.example.com/v1/projects/project/places/global",
            "https://ai.example.com/v1/projects/{project}/places/{place}",
            ["project".to_owned()].as_slice()
        )
    );
    let table = [
        ("global", "https://ai.example.com"),
        ("eu", "https://ai.eu.example.com"),
        ("europe-west4", "https://europe-west4-ai.example.com"),
    ];
    for (place, base) in table {
        let form = form(&[("place", place), ("project", "p-1")]);
        assert_eq!(url(&form), format!("{base}/v1/projects/p-1/places/{place}"));
        assert!(form.address().missing.is_empty());
    }
    let mut keyed = form(&[]);
    keyed.keyed = true;
    assert_eq!(url(&keyed), "https://ai.example.com/v1");
    assert!(keyed.address().missing.is_empty());
}

#[test]
fn an_identity_brings_settings_of_its_own_that_are_never_printed() {
    let mut form = form(&[("client_secret", "hush")]);
    form.identity = Some(Identity::Entra {
        scope: "s/.default".to_owned(),
    });
    form.own_identity();
    assert!(form.settings["client_secret"].free && !form.settings["place"].free);
    assert_eq!(form.settings().value("client_secret"), Some("hush"));
    let printed = format!("{:?} {:?}", form.given, form.settings());
    assert!(
        printed.contains("client_secret") && !printed.contains("hush"),
        "{printed}"
    );
}

#[test]
fn the_first_variant_of_a_setting_holds() {
    let next = form(&[("version", "next"), ("project", "p")]).address();
    assert_eq!(
        next.url,
        "https://ai.example.com/v1/projects/p/places/global"
    );
    assert_eq!(next.quirks["api_version"].as_str(), Some("next"));
    let dated = form(&[("version", "2026-01-01"), ("project", "p")]).address();
    assert_eq!(dated.url, "https://ai.example.com/dated");
    assert_eq!(dated.quirks["api_version"].as_str(), Some("2026-01-01"));
    assert_eq!(dated.quirks["required_choice"].as_str(), Some("{any}"));
}

#[test]
fn an_address_of_ones_own_takes_the_prefix_once() {
    let table = [
        (
            "http://proxy:9/vertex",
            "http://proxy:9/vertex/v1/projects/p/places/eu",
        ),
        (
            "https://pe.example/v1",
            "https://pe.example/v1/projects/p/places/eu",
        ),
        (
            "https://pe.example/v1/projects/p/places/eu/",
            "https://pe.example/v1/projects/p/places/eu",
        ),
        (
            "https://pe.example/dated",
            "https://pe.example/v1/projects/p/places/eu",
        ),
        ("https://v1", "https://v1/v1/projects/p/places/eu"),
        (
            "https://{place}.example",
            "https://eu.example/v1/projects/p/places/eu",
        ),
    ];
    for (own, expected) in table {
        let mut form = form(&[("place", "eu"), ("project", "p")]);
        form.move_to(own);
        assert_eq!(url(&form), expected, "{own}");
    }
}

#[test]
fn only_what_can_stand_in_an_address_fits() {
    for fit in ["us-east-1", "eu", "my_project", "2024-10-21", "A1"] {
        assert_eq!(unfit(fit), None, "{fit}");
    }
    let long = "a".repeat(64);
    for bad in [
        "", "a/b", "..", "a.b", "a b", "-a", "a-", "x@y", "a:1", "a?b", "\u{e9}", "{x}", &long,
    ] {
        assert!(unfit(bad).is_some(), "{bad}");
    }
}
