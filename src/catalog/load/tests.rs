//! The catalogue that comes with the program is checked here as a whole, and how ids are found in it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::{Catalog, Provider, Rate, Trust};
use crate::dialect::caps::{Kind, ToolsWhile};
use crate::dialect::{Caps, Effort, Sampling};

use super::*;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap_or_else(|error| panic!("{error}"))
}

fn provider(name: &str) -> Arc<Provider> {
    Arc::clone(catalog().provider(name).unwrap())
}

fn caps(provider: &str, id: &str) -> Arc<Caps> {
    self::provider(provider).resolve(id).caps
}

#[test]
fn every_file_of_the_folder_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/providers");
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let listed: BTreeSet<String> = FILES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files, listed);
    for (name, form) in FILES.iter().zip(builtin().unwrap()) {
        assert_eq!(*name, form.name);
        // What the build script made of a file is what is written in it; a mistake is said with its line.
        let path = folder.join(name).with_extension("toml");
        let text = std::fs::read_to_string(path).unwrap();
        let written = toml::from_str::<ProviderForm>(&text).map(|mut form| {
            form.own_identity();
            form
        });
        let written = written.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(format!("{written:?}"), format!("{form:?}"));
        assert!(
            !form.sources.is_empty() && form.sources.iter().all(|source| source.contains(": ")),
            "{}",
            form.name
        );
    }
}

#[test]
fn every_id_and_alias_resolves_to_its_own_model_and_to_no_other() {
    for provider in catalog().providers() {
        for model in &provider.models {
            for id in std::iter::once(&model.id).chain(&model.aliases) {
                assert_eq!(provider.resolve(id).model.unwrap().id, model.id, "{id}");
                let patterns = provider.models.iter().filter(|other| {
                    other.id != model.id
                        && other
                            .pattern
                            .as_ref()
                            .is_some_and(|pattern| pattern.is_match(id))
                });
                let others: Vec<&str> = patterns.map(|other| other.id.as_str()).collect();
                assert_eq!(others, Vec::<&str>::new(), "{}/{id}", provider.name);
                assert!(
                    provider.retired.iter().all(|retired| retired.id != *id),
                    "{}/{id}",
                    provider.name
                );
            }
        }
    }
}

#[test]
fn every_family_that_is_named_is_known_and_every_figure_is_positive() {
    let families = families().unwrap();
    for provider in catalog().providers() {
        assert!(provider.base_url.starts_with("http"), "{}", provider.name);
        for model in &provider.models {
            let apart = model.family.contains("-codex") || model.family.ends_with("-chat");
            assert!(
                families.contains_key(&model.family) || apart,
                "{}/{}",
                provider.name,
                model.family
            );
            let Some(price) = &model.price else { continue };
            let mut rates = vec![&price.rates];
            rates.extend(price.bands.iter().map(|band| &band.rates));
            rates.extend(price.scheduled.iter().map(|later| &later.rates));
            rates.extend(price.peak.iter().map(|peak| &peak.rates));
            for rates in rates {
                let all = [rates.input, rates.output]
                    .into_iter()
                    .chain(rates.cache_read)
                    .chain(rates.audio_input);
                let all = all.chain(rates.cache_write.values().copied());
                let own = price.trust == Trust::Own;
                assert!(
                    all.clone().all(|rate| own == (rate == Rate::default())),
                    "{}/{}",
                    provider.name,
                    model.id
                );
            }
            assert!(
                price.bands.is_sorted_by_key(|band| band.from),
                "{}",
                model.id
            );
            assert!(
                price
                    .bands
                    .iter()
                    .all(|band| band.rates.input > price.rates.input),
                "{}",
                model.id
            );
            assert!(!price.source.is_empty());
        }
    }
}

/// Kind, sampling, prefill, late system messages, forced tool choice.
type Claude = (Kind, Sampling, Option<bool>, Option<bool>, Option<bool>);

const CLAUDE: [(&str, Claude); 8] = [
    (
        "claude-haiku-4-5-20251001",
        (
            Kind::Budget,
            Sampling::All,
            Some(true),
            Some(false),
            Some(true),
        ),
    ),
    (
        "claude-opus-4-6",
        (
            Kind::Adaptive,
            Sampling::All,
            Some(false),
            Some(false),
            Some(true),
        ),
    ),
    (
        "claude-opus-4-7",
        (
            Kind::Adaptive,
            Sampling::None,
            Some(false),
            Some(false),
            Some(true),
        ),
    ),
    (
        "claude-opus-4-8",
        (
            Kind::Adaptive,
            Sampling::None,
            Some(false),
            Some(true),
            Some(true),
        ),
    ),
    (
        "claude-fable-5",
        (
            Kind::Always,
            Sampling::None,
            Some(false),
            Some(true),
            Some(true),
        ),
    ),
    (
        "claude-sonnet-5-5",
        (
            Kind::Always,
            Sampling::None,
            Some(false),
            Some(true),
            Some(false),
        ),
    ),
    (
        "claude-opus-6",
        (
            Kind::Always,
            Sampling::None,
            Some(false),
            Some(true),
            Some(false),
        ),
    ),
    (
        "claude-haiku-6",
        (
            Kind::Adaptive,
            Sampling::None,
            Some(false),
            Some(true),
            Some(true),
        ),
    ),
];

#[test]
fn claude_is_as_its_table_says() {
    for (id, expected) in CLAUDE {
        let caps = caps("anthropic", id);
        let found = (
            caps.reasoning.kind,
            caps.sampling,
            caps.prefill,
            caps.late_system,
            caps.forced_tool_choice,
        );
        assert_eq!(found, expected, "{id}");
    }
    assert_eq!(caps("anthropic", "claude-opus-6").max_output, None);
    assert_eq!(
        caps("anthropic", "claude-opus-4-6")
            .reasoning
            .nearest(Effort::Xhigh),
        Effort::High
    );
}

const OPENAI: [(&str, ToolsWhile, Sampling, Kind, Option<bool>); 9] = [
    ("gpt-4.1", ToolsWhile::Yes, Sampling::All, Kind::None, None),
    (
        "o3",
        ToolsWhile::Yes,
        Sampling::None,
        Kind::Effort,
        Some(true),
    ),
    (
        "gpt-5-mini",
        ToolsWhile::Yes,
        Sampling::None,
        Kind::Effort,
        Some(true),
    ),
    (
        "gpt-5.1",
        ToolsWhile::Yes,
        Sampling::EffortNoneOnly,
        Kind::Effort,
        Some(false),
    ),
    (
        "gpt-5.4-mini",
        ToolsWhile::Unset,
        Sampling::EffortNoneOnly,
        Kind::Effort,
        Some(false),
    ),
    (
        "gpt-5.6-terra",
        ToolsWhile::ExplicitNone,
        Sampling::EffortNoneOnly,
        Kind::Effort,
        Some(true),
    ),
    (
        "gpt-6.1-terra",
        ToolsWhile::ExplicitNone,
        Sampling::EffortNoneOnly,
        Kind::Effort,
        Some(true),
    ),
    (
        "gpt-6-astra",
        ToolsWhile::Never,
        Sampling::None,
        Kind::Effort,
        Some(true),
    ),
    (
        "gpt-6-rosalind",
        ToolsWhile::Never,
        Sampling::None,
        Kind::Effort,
        Some(true),
    ),
];

#[test]
fn openai_is_as_its_table_says() {
    for (id, tools, sampling, kind, on) in OPENAI {
        let caps = caps("openai", id);
        let found = (
            caps.tools_while_reasoning,
            caps.sampling,
            caps.reasoning.kind,
            caps.reasoning.on_by_default,
        );
        assert_eq!(found, (tools, sampling, kind, on), "{id}");
    }
    let codex = provider("openai");
    assert_eq!(
        codex.model("gpt-5.2-codex").unwrap().dialect.name(),
        "openai-responses"
    );
    assert_eq!(
        codex.model("gpt-5.2").unwrap().sent_as("gpt-5.2"),
        "gpt-5.2"
    );
}

#[test]
fn quirks_that_are_not_json_would_break_requests() {
    for provider in catalog().providers() {
        let quirks = &provider.quirks;
        for json in quirks.effort.values() {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert!(value.is_object(), "{}: {json}", provider.name);
        }
        for json in quirks.add.values() {
            serde_json::from_str::<serde_json::Value>(json).unwrap();
        }
        assert!(
            quirks
                .effort
                .keys()
                .all(|level| Effort::parse(level).is_some()),
            "{}",
            provider.name
        );
    }
}

#[test]
fn what_is_wrong_is_said() {
    let form = |text: &str| toml::from_str::<ProviderForm>(text).unwrap();
    let table = [
        ("name = 'a'\ndialect = 'latin'", "no dialect 'latin'"),
        ("name = ''\ndialect = 'openai'", "empty or taken"),
        (
            "name = 'a'\naliases = ['a']\ndialect = 'openai'",
            "empty or taken",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[[models]]\nid = 'm'\n[[models]]\nid = 'm'",
            "'m' is empty or taken",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[quirks]\nnonsense = 1",
            "nonsense",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[[rules]]\npattern = '.'\ncaps = { tools = 3 }",
            "expected a boolean",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[[rules]]\npattern = '('",
            "the pattern '('",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[[models]]\nid = 'm'\npattern = '('",
            "the pattern '('",
        ),
        (
            "name = 'a'\ndialect = 'openai'\n[[models]]\nid = 'm'\nplaces = [{ pattern = '(', factor = '1.1' }]",
            "the pattern '('",
        ),
    ];
    for (text, part) in table {
        let error = Catalog::assemble(vec![form(text)]).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
