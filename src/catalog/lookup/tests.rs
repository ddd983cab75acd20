//! How ids, bare names and misspelt ones are found in the catalogue that comes with the program.

use crate::dialect::Caps;
use crate::dialect::caps::ToolsWhile;

use super::*;

fn catalog() -> Catalog {
    Catalog::builtin().unwrap_or_else(|error| panic!("{error}"))
}

fn provider(name: &str) -> Arc<Provider> {
    Arc::clone(catalog().provider(name).unwrap())
}

#[test]
fn ids_are_found_in_the_order_of_the_contract() {
    let openai = provider("openai");
    assert_eq!(openai.resolve("gpt-5.6").model.unwrap().id, "gpt-5.6-sol");
    assert_eq!(
        openai.resolve("gpt-4o-2024-08-06").model.unwrap().id,
        "gpt-4o"
    );
    let gone = openai.resolve("gpt-4o-2024-05-13");
    assert!(gone.model.is_none() && gone.price.is_none());
    assert_eq!(
        (gone.retired.unwrap().successor.as_str(), gone.caps.context),
        ("gpt-4o", Some(128_000))
    );
    let ruled = openai.resolve("gpt-7-nova");
    assert!(ruled.model.is_none() && ruled.retired.is_none());
    assert_eq!(ruled.caps.tools_while_reasoning, ToolsWhile::ExplicitNone);
    assert_eq!(
        *openai.resolve("GPT-4o").caps,
        Caps::default(),
        "ids are case-sensitive"
    );
    assert_eq!(
        *openai.resolve("text-embedding-3-small").caps,
        Caps::default()
    );
    assert!(
        provider("openai")
            .resolve("gpt-4o-audio-preview")
            .model
            .is_none()
    );
    assert!(provider("ollama").resolve("mistral:7b").price.is_some());
}

#[test]
fn a_bare_name_is_served_by_everybody_of_its_family() {
    let catalog = catalog();
    let serving = |bare: &str| -> Vec<String> {
        let serving = catalog.serving(bare);
        serving
            .iter()
            .map(|(provider, model)| format!("{}/{}", provider.name, model.sent_as(bare)))
            .collect()
    };
    assert_eq!(
        serving("claude-sonnet-5-5"),
        [
            "anthropic/claude-sonnet-5-5",
            "openrouter/anthropic/claude-sonnet-5.5",
            "vertex/claude-sonnet-5-5",
            "bedrock/global.anthropic.claude-sonnet-5-5"
        ]
    );
    assert_eq!(
        serving("claude-sonnet-4-5-20250929"),
        [
            "anthropic/claude-sonnet-4-5-20250929",
            "vertex/claude-sonnet-4-5@20250929",
            "bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0"
        ]
    );
    assert_eq!(
        serving("gpt-5.6-terra"),
        ["openai/gpt-5.6-terra", "azure/gpt-5.6-terra"]
    );
    let open = serving("gpt-oss-120b");
    for host in [
        "groq/openai/gpt-oss-120b",
        "cerebras/gpt-oss-120b",
        "ollama/gpt-oss:120b",
    ] {
        assert!(open.iter().any(|name| name == host), "{open:?}");
    }
    assert_eq!(
        serving("gpt-4o-2024-08-06"),
        ["openai/gpt-4o-2024-08-06", "azure/gpt-4o-2024-08-06"]
    );
    assert_eq!(serving("gpt-4o-2024-05-13"), Vec::<String>::new());
    assert_eq!(
        serving("gemini-flash-latest")[0],
        "google/gemini-flash-latest"
    );
    assert_eq!(serving("no-such-model"), Vec::<String>::new());
}

#[test]
fn unknown_names_get_their_neighbours() {
    let catalog = catalog();
    assert_eq!(
        catalog.nearest("claude-sonet-5-5", 3)[0],
        "anthropic/claude-sonnet-5-5"
    );
    assert_eq!(
        catalog.nearest("openai/gpt5.6-tera", 3)[0],
        "openai/gpt-5.6-terra"
    );
    assert_eq!(catalog.nearest(&"x".repeat(1 << 20), 3).len(), 3);
    assert_eq!(catalog.provider("gemini").unwrap().name, "google");
    assert!(catalog.provider("OpenAI").is_none());
}

#[test]
fn other_names_of_one_moving_model_are_one_model() {
    let openai = provider("openai");
    let (by_alias, by_id) = (
        openai.resolve("gpt-chat-latest"),
        openai.resolve("chat-latest"),
    );
    assert_eq!(by_alias.model.unwrap().id, by_id.model.unwrap().id);
}
