//! The catalogue's clouds: several formats behind one address, and prices that depend on a place.

use std::sync::Arc;

use crate::catalog::{Catalog, Provider, Rate};
use crate::dialect::Caps;

use super::builtin;

fn provider(name: &str) -> Arc<Provider> {
    let catalog = Catalog::builtin().unwrap_or_else(|error| panic!("{error}"));
    Arc::clone(catalog.provider(name).unwrap())
}

fn caps(provider: &str, id: &str) -> Arc<Caps> {
    self::provider(provider).resolve(id).caps
}

/// The publisher decides how a model of Vertex is asked.
#[test]
fn vertex_speaks_three_formats() {
    let vertex = provider("vertex");
    let table = [
        ("gemini-3.8-flash", "gemini"),
        ("gemini-9-ultra", "gemini"),
        ("some-tuned-model", "gemini"),
        ("claude-sonnet-4-5@20250929", "anthropic-vertex"),
        ("claude-sonnet-4-5", "anthropic-vertex"),
        ("claude-opus-4-8", "anthropic-vertex"),
        ("claude-opus-9@default", "anthropic-vertex"),
        ("claude-3-5-sonnet-v2@20241022", "anthropic-vertex"),
        ("claude-nova", "anthropic-vertex"),
        ("meta/llama-4-maverick-17b-128e-instruct-maas", "openai"),
    ];
    for (id, dialect) in table {
        assert_eq!(vertex.resolve(id).dialect.name(), dialect, "{id}");
    }
    assert_eq!(caps("vertex", "claude-opus-4-8").late_system, Some(false));
    assert_eq!(
        caps("vertex", "claude-opus-5").reasoning,
        caps("anthropic", "claude-opus-5").reasoning
    );
}

/// 1.1 times list price: 2 x 1.1 = 2.2, 10 x 1.1 = 11, and announced 4 x 1.1 = 4.4; searches cost the same.
#[test]
fn a_region_of_vertex_costs_more_where_its_models_do() {
    let at = |location: &str| {
        let mut forms = builtin().unwrap();
        let form = forms.iter_mut().find(|form| form.name == "vertex").unwrap();
        form.given.give("location", location);
        form.given.give("project", "p");
        Arc::clone(
            Catalog::assemble(forms)
                .unwrap()
                .provider("vertex")
                .unwrap(),
        )
    };
    let rates = |location: &str, id: &str| {
        let provider = at(location);
        let price = provider.resolve(id).price.unwrap();
        let later = price
            .scheduled
            .first()
            .map(|later| later.rates.input.to_string());
        let (input, output) = (
            price.rates.input.to_string(),
            price.rates.output.to_string(),
        );
        (input, output, later.unwrap_or_default())
    };
    let told = |input: &str, output: &str, later: &str| (input.into(), output.into(), later.into());
    assert_eq!(rates("global", "gemini-4-argon"), told("2", "10", "4"));
    for location in ["eu", "us-east5"] {
        assert_eq!(rates(location, "gemini-4-argon"), told("2.2", "11", "4.4"));
    }
    assert_eq!(
        rates("us", "gemini-2.5-pro"),
        rates("global", "gemini-2.5-pro")
    );
    let searches = at("eu");
    let searches = &searches.resolve("gemini-4-argon").price.unwrap().extra;
    assert_eq!(searches.web_search_per_1k, Rate::parse("14"));
}

/// An address or a place in an id is never made of a secret or of free text.
#[test]
fn settings_of_every_file_are_declared_and_fit() {
    for form in builtin().unwrap() {
        let address = form.address();
        assert!(
            address.url.starts_with("http") && !address.url.contains('{'),
            "{}",
            form.name
        );
        for (name, setting) in &form.settings {
            let named = address.shape.contains(&format!("{{{name}}}"));
            assert!(!(setting.free && named), "{}/{name}", form.name);
            let default = setting.default.as_deref();
            assert_eq!(default.and_then(crate::catalog::setting::unfit), None);
        }
        for variant in &form.variants {
            let known = form.settings.contains_key(&variant.setting);
            assert!(known, "{}/{}", form.name, variant.setting);
        }
    }
}

/// A place in an id is a factor on every rate, by hand: 2 x 1.1 = 2.2, 10 x 1.1 = 11, 0.1 x 1.1 = 0.11,
/// 2.5 x 1.1 = 2.75; Nova 2 Lite in the EU 0.3 x 1.43 = 0.429, 2.5 x 1.43 = 3.575; Haiku's band 0.5 x 1.1 = 0.55.
#[test]
fn a_place_in_the_id_of_bedrock_is_a_factor_on_its_price() {
    let bedrock = provider("bedrock");
    let rates = |id: &str| {
        let resolved = bedrock.resolve(id);
        let rates = &resolved.price.unwrap_or_else(|| panic!("{id}")).rates;
        (rates.input.to_string(), rates.output.to_string())
    };
    let table = [
        ("global.anthropic.claude-sonnet-5-5", "2", "10"),
        ("global.anthropic.claude-sonnet-5-5-v1:0", "2", "10"),
        ("us.anthropic.claude-sonnet-5-5", "2.2", "11"),
        ("eu.anthropic.claude-sonnet-5-5", "2.2", "11"),
        ("apac.anthropic.claude-sonnet-5-5-v1:0", "2.2", "11"),
        ("us-gov.anthropic.claude-sonnet-5-5", "2.2", "11"),
        ("anthropic.claude-sonnet-5-5", "2.2", "11"),
        ("global.amazon.nova-2-lite-v1:0", "0.3", "2.5"),
        ("us.amazon.nova-2-lite-v1:0", "0.33", "2.75"),
        ("eu.amazon.nova-2-lite-v1:0", "0.429", "3.575"),
        ("jp.amazon.nova-2-lite-v1:0", "0.396", "3.3"),
        ("amazon.nova-micro-v1:0", "0.035", "0.14"),
        ("us.amazon.nova-micro-v1:0", "0.035", "0.14"),
    ];
    for (id, input, output) in table {
        assert_eq!(rates(id), (input.to_owned(), output.to_owned()), "{id}");
    }
    let us = bedrock
        .resolve("us.anthropic.claude-sonnet-5-5")
        .price
        .unwrap();
    let (read, write) = (us.rates.cache_read.unwrap(), us.rates.cache_write["5m"]);
    assert_eq!(
        (read.to_string(), write.to_string()),
        ("0.11".into(), "2.75".into())
    );
    let haiku = bedrock
        .resolve("us.anthropic.claude-haiku-5-5")
        .price
        .unwrap();
    assert_eq!(haiku.bands[0].rates.input.to_string(), "0.55");
    assert!(
        bedrock
            .resolve("us.anthropic.claude-sonnet-5-50")
            .price
            .is_none()
    );
}

#[test]
fn bedrock_speaks_to_claude_in_claudes_format() {
    let bedrock = provider("bedrock");
    let arn =
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-6-v1";
    let table = [
        ("us.anthropic.claude-sonnet-4-6", "anthropic-bedrock"),
        (
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic-bedrock",
        ),
        ("eu.anthropic.claude-opus-4-7", "anthropic-bedrock"),
        (
            "anthropic.claude-3-haiku-20240307-v1:0",
            "anthropic-bedrock",
        ),
        ("us.anthropic.claude-nova-1", "anthropic-bedrock"),
        (arn, "anthropic-bedrock"),
        ("us.amazon.nova-micro-v1:0", "bedrock"),
        ("openai.gpt-oss-120b-1:0", "bedrock"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
            "bedrock",
        ),
    ];
    for (id, dialect) in table {
        assert_eq!(bedrock.resolve(id).dialect.name(), dialect, "{id}");
    }
    let model = |id: &str| bedrock.resolve(id).model.map(|model| model.family.clone());
    assert_eq!(
        model("us.anthropic.claude-sonnet-4-6"),
        Some("claude-sonnet-4-6".to_owned())
    );
    for id in ["us.anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8"] {
        let caps = bedrock.resolve(id).caps;
        assert_eq!(
            (caps.late_system, caps.prefill),
            (Some(false), Some(false)),
            "{id}"
        );
    }
}
