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
