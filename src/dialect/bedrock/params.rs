//! What becomes of each chat member on its way to Bedrock: by Converse, and to Claude in its own format.

use super::super::anthropic::params::{hosted, row};
use super::super::params::{Fate, Row};

const NONE_HERE: &str = "has no counterpart here.";
const OWN: &str = "of the provider's own format.";
const VENDOR: &str = "is taken by the vendor's own address only.";
const NO_SEARCH: &str = "has no counterpart here: this host has no web search.";
const MARKS: &str = "is said by each cache mark here.";

/// Converse, in the order of OpenAI's reference, then what the provider has beyond it.
pub(super) static PARAMS: [Row; 48] = [
    row("model", Fate::Translated, "in the path"),
    row(
        "messages",
        Fate::Translated,
        "late system messages stay in place",
    ),
    row(
        "max_completion_tokens",
        Fate::Renamed("inferenceConfig.maxTokens"),
        "clamped to what the model writes",
    ),
    row(
        "max_tokens",
        Fate::Renamed("inferenceConfig.maxTokens"),
        "clamped to what the model writes",
    ),
    row(
        "temperature",
        Fate::ByModel,
        "`inferenceConfig`, clamped to 1; left out where refused",
    ),
    row(
        "top_p",
        Fate::ByModel,
        "`inferenceConfig`; left out beside temperature on Claude, and where refused",
    ),
    row("n", Fate::Ours, "one choice only"),
    row("stream", Fate::Translated, "in the path"),
    row("stream_options", Fate::Ours, ""),
    row(
        "stop",
        Fate::Renamed("inferenceConfig.stopSequences"),
        "entries of white space are left out",
    ),
    row("presence_penalty", Fate::Dropped, NONE_HERE),
    row("frequency_penalty", Fate::Dropped, NONE_HERE),
    row("logit_bias", Fate::Dropped, NONE_HERE),
    row("logprobs", Fate::Dropped, NONE_HERE),
    row("top_logprobs", Fate::Dropped, NONE_HERE),
    row("seed", Fate::Dropped, NONE_HERE),
    row(
        "tools",
        Fate::Translated,
        "`toolConfig`; custom tools as functions of one string",
    ),
    row(
        "tool_choice",
        Fate::ByModel,
        "a forced choice becomes auto where refused; none takes the tools away unless the history calls some",
    ),
    row("parallel_tool_calls", Fate::Dropped, NONE_HERE),
    row("functions", Fate::Translated, "as tools"),
    row("function_call", Fate::Translated, "as tool_choice"),
    row(
        "response_format",
        Fate::ByModel,
        "`outputConfig.textFormat`; by instruction where there is no schema",
    ),
    row(
        "reasoning_effort",
        Fate::ByModel,
        "as the model's maker takes it",
    ),
    row("reasoning", Fate::ByModel, "as reasoning_effort"),
    row(
        "include_reasoning",
        Fate::ByModel,
        "asks Claude for summarized thinking",
    ),
    row("verbosity", Fate::Dropped, NONE_HERE),
    row("modalities", Fate::Translated, "text only"),
    row("audio", Fate::Refused, "cannot be made by this provider."),
    row("prediction", Fate::Dropped, NONE_HERE),
    row("web_search_options", Fate::Refused, NO_SEARCH),
    row("metadata", Fate::Dropped, NONE_HERE),
    row("user", Fate::Dropped, NONE_HERE),
    row("safety_identifier", Fate::Dropped, NONE_HERE),
    row("prompt_cache_key", Fate::Dropped, NONE_HERE),
    row("prompt_cache_retention", Fate::Dropped, MARKS),
    row("prompt_cache_options", Fate::Dropped, MARKS),
    row(
        "service_tier",
        Fate::Translated,
        "`serviceTier`: default, flex, priority; others are left out",
    ),
    row("store", Fate::Dropped, NONE_HERE),
    row("moderation", Fate::Dropped, NONE_HERE),
    row(
        "thinking",
        Fate::ByModel,
        "to Claude, in `additionalModelRequestFields`",
    ),
    row(
        "top_k",
        Fate::ByModel,
        "in `additionalModelRequestFields`, as the model's maker names it",
    ),
    row("additionalModelRequestFields", Fate::Sent, OWN),
    row("additionalModelResponseFieldPaths", Fate::Sent, OWN),
    row("guardrailConfig", Fate::Sent, OWN),
    row("performanceConfig", Fate::Sent, OWN),
    row("requestMetadata", Fate::Sent, OWN),
    row("cache_control", Fate::Dropped, MARKS),
    row("usage", Fate::Dropped, "is always told."),
];

/// Claude in its own format: the vendor's table without what only the vendor's own address takes, then what Bedrock
/// has beyond it.
pub(super) static CLAUDE: [Row; 50] = hosted([
    row("model", Fate::Translated, "in the path"),
    row(
        "stream",
        Fate::Translated,
        "in the path; long answers are streamed to us in any case",
    ),
    row("web_search_options", Fate::Refused, NO_SEARCH),
    row(
        "service_tier",
        Fate::Translated,
        "as a header: default, flex, priority; others are left out",
    ),
    row("cache_control", Fate::Dropped, MARKS),
    row("mcp_servers", Fate::Refused, VENDOR),
    row("speed", Fate::Dropped, VENDOR),
    row("container", Fate::Refused, VENDOR),
    row("guardrailConfig", Fate::Translated, "as headers"),
    row("performanceConfig", Fate::Translated, "as a header"),
    row("requestMetadata", Fate::Translated, "as a header"),
]);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_member_has_one_row() {
        for table in [&PARAMS[..], &CLAUDE] {
            let members: BTreeSet<_> = table.iter().map(|row| row.member).collect();
            assert_eq!(members.len(), table.len());
        }
    }
}
