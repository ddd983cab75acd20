//! How one provider differs from others of its dialect. Data: the catalogue and the configuration fill it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The differences of one provider.
///
/// Only what a quirk touches is rebuilt; everything else of a same-dialect request is passed byte for byte.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a yes or no of the catalogue's files, independent of the others"
)]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Members that have another name here.
    pub rename: BTreeMap<String, String>,
    /// Members that are refused or mean nothing here: left out and reported.
    pub drop: Vec<String>,
    /// Members of `messages[]` that are refused here (`name`): left out and reported.
    pub drop_in_messages: Vec<String>,
    /// Members with a fixed value that are always added: JSON by name.
    pub add: BTreeMap<String, String>,
    /// What each `reasoning_effort` becomes: a JSON object whose members are put in its place.
    pub effort: BTreeMap<String, String>,
    /// `developer` messages are sent as `system`.
    pub developer_as_system: bool,
    /// Null members of messages and echoes of earlier answers are refused: they are left out.
    pub strict_messages: bool,
    /// Consecutive messages of one role are refused: they are joined.
    pub merge_roles: bool,
    /// An assistant's message without text must have `""`, not null.
    pub empty_content: bool,
    /// A last assistant message needs `"prefix": true` to be gone on from.
    pub prefix_last_assistant: bool,
    /// Tool call ids must be nine letters or digits.
    pub nine_letter_ids: bool,
    /// What `tool_choice: "required"` is called here; empty where there is no such choice.
    pub required_choice: String,
    /// Takes a named `tool_choice`; else the tools are narrowed to it.
    pub named_choice: bool,
    /// Takes `tool_choice` of `allowed_tools`; else the tools are narrowed.
    pub allowed_tools: bool,
    /// Takes custom (free text) tools; else they are sent as functions.
    pub custom_tools: bool,
    /// Takes `strict` on tools; else it is left out.
    pub strict_tools: bool,
    /// Takes `stream_options`.
    pub stream_options: bool,
    /// Takes `response_format` of `json_schema`; else it is emulated by `json_object` and a system message.
    pub json_schema: bool,
    /// Takes `response_format` of `json_object`; else it is emulated by a system message.
    pub json_object: bool,
    /// Only arrays are taken for `stop`.
    pub stop_array: bool,
    /// The longest `stop` list.
    pub stop_max: Option<usize>,
    /// The highest `temperature`, in thousandths.
    pub temperature_max_milli: Option<u32>,
    /// Choices beyond the first are refused.
    pub single_choice: bool,
    /// The member of a message that carries reasoning text back; empty where none is taken.
    pub reasoning_history: String,
    /// Whether reasoning text must come back in every turn that used tools.
    pub reasoning_required: bool,
    /// Reasoning may stand in the text between `<think>` and `</think>`.
    pub think_tags: bool,
    /// Images must be inline (`data:`), not by URL.
    pub inline_images: bool,
    /// The service tiers by OpenAI's names; others are left out.
    pub service_tiers: BTreeMap<String, String>,
    /// Has OpenAI's Responses API beside chat completions: requests that its models take only there go there.
    pub responses: bool,
    /// Headers to add to each request.
    pub headers: BTreeMap<String, String>,
    /// What chat completions are called here.
    pub chat_path: String,
    /// What completions of a text, the older form, are called here; empty where there are none.
    pub completions_path: String,
    /// How embeddings are asked for here.
    pub embeddings: EmbeddingQuirks,
    /// What stands before a model's name in the path of Google's format.
    pub models_path: String,
    /// Takes `metadata` as labels that calls are billed by, in Google's format.
    pub metadata_labels: bool,
    /// Takes the provider's own search beside functions, in Google's format.
    pub search_beside_functions: bool,
    /// The version of the API that each path must name; empty where none.
    pub api_version: String,
    /// The model stands in the path, as a deployment.
    pub deployment_paths: bool,
}

/// How one provider's embeddings differ from others of its dialect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingQuirks {
    /// What they are called here; empty where there are none.
    pub path: String,
    /// Members that have another name here.
    pub rename: BTreeMap<String, String>,
    /// Members that are refused here: left out and reported.
    pub drop: Vec<String>,
    /// Takes lists of token ids.
    pub tokens: bool,
    /// The most inputs of one call.
    pub batch: Option<usize>,
    /// In Google's format: one input is asked by `embedContent` or `predict`, as on Vertex, not many at once.
    pub one_by_one: bool,
}

impl Default for EmbeddingQuirks {
    /// OpenAI itself: nothing differs.
    fn default() -> Self {
        Self {
            path: "/embeddings".to_owned(),
            rename: BTreeMap::new(),
            drop: Vec::new(),
            tokens: true,
            batch: None,
            one_by_one: false,
        }
    }
}

impl Default for Quirks {
    /// OpenAI itself: nothing differs.
    fn default() -> Self {
        Self {
            rename: BTreeMap::new(),
            drop: Vec::new(),
            drop_in_messages: Vec::new(),
            add: BTreeMap::new(),
            effort: BTreeMap::new(),
            developer_as_system: false,
            strict_messages: false,
            merge_roles: false,
            empty_content: false,
            prefix_last_assistant: false,
            nine_letter_ids: false,
            required_choice: "required".to_owned(),
            named_choice: true,
            allowed_tools: true,
            custom_tools: true,
            strict_tools: true,
            stream_options: true,
            json_schema: true,
            json_object: true,
            stop_array: false,
            stop_max: None,
            temperature_max_milli: None,
            single_choice: false,
            reasoning_history: String::new(),
            reasoning_required: false,
            think_tags: false,
            inline_images: false,
            service_tiers: BTreeMap::new(),
            responses: false,
            headers: BTreeMap::new(),
            chat_path: "/chat/completions".to_owned(),
            completions_path: String::new(),
            embeddings: EmbeddingQuirks::default(),
            models_path: "/v1beta/models/".to_owned(),
            metadata_labels: false,
            search_beside_functions: true,
            api_version: String::new(),
            deployment_paths: false,
        }
    }
}
