//! What becomes of each chat member on its way to the Responses API.

use super::super::params::{Fate, Row};

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

const NONE_HERE: &str = "has no counterpart here.";

/// The table, in the order of OpenAI's reference, then what other formats have beyond it.
pub(super) static PARAMS: [Row; 43] = [
    row("model", Fate::Sent, ""),
    row("messages", Fate::Renamed("input"), "each as items"),
    row(
        "max_completion_tokens",
        Fate::Renamed("max_output_tokens"),
        "16 at least",
    ),
    row(
        "max_tokens",
        Fate::Renamed("max_output_tokens"),
        "16 at least",
    ),
    row("temperature", Fate::ByModel, ""),
    row("top_p", Fate::ByModel, ""),
    row("n", Fate::Ours, "one choice only"),
    row("stream", Fate::Sent, ""),
    row(
        "stream_options",
        Fate::Translated,
        "`include_obfuscation`; usage is always told",
    ),
    row("stop", Fate::Dropped, NONE_HERE),
    row("presence_penalty", Fate::Dropped, NONE_HERE),
    row("frequency_penalty", Fate::Dropped, NONE_HERE),
    row("logit_bias", Fate::Dropped, NONE_HERE),
    row(
        "logprobs",
        Fate::ByModel,
        "`include`: `message.output_text.logprobs`",
    ),
    row("top_logprobs", Fate::ByModel, ""),
    row("seed", Fate::Dropped, NONE_HERE),
    row(
        "tools",
        Fate::Translated,
        "flat; the provider's own pass as they are",
    ),
    row(
        "tool_choice",
        Fate::Translated,
        "flat; left out without tools",
    ),
    row(
        "parallel_tool_calls",
        Fate::ByModel,
        "left out without tools",
    ),
    row("functions", Fate::Translated, "as tools"),
    row("function_call", Fate::Translated, "as tool_choice"),
    row("response_format", Fate::Renamed("text.format"), ""),
    row(
        "reasoning_effort",
        Fate::Renamed("reasoning.effort"),
        "the nearest level the model takes",
    ),
    row(
        "reasoning",
        Fate::Translated,
        "effort, and a summary unless it is excluded",
    ),
    row("include_reasoning", Fate::Renamed("reasoning.summary"), ""),
    row("verbosity", Fate::Renamed("text.verbosity"), ""),
    row("modalities", Fate::Translated, "text only"),
    row("audio", Fate::Refused, "cannot be made in this format."),
    row("prediction", Fate::Dropped, NONE_HERE),
    row(
        "web_search_options",
        Fate::Translated,
        "the provider's web search tool",
    ),
    row("metadata", Fate::ByModel, ""),
    row("user", Fate::ByModel, ""),
    row("safety_identifier", Fate::ByModel, ""),
    row("prompt_cache_key", Fate::ByModel, ""),
    row("prompt_cache_retention", Fate::ByModel, ""),
    row("prompt_cache_options", Fate::ByModel, ""),
    row("service_tier", Fate::ByModel, "by the provider's own names"),
    row("store", Fate::Dropped, "is always false in this format."),
    row("moderation", Fate::ByModel, ""),
    row("thinking", Fate::Dropped, NONE_HERE),
    row("top_k", Fate::Dropped, NONE_HERE),
    row("cache_control", Fate::Dropped, NONE_HERE),
    row("usage", Fate::Dropped, "is always told."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_member_has_one_row() {
        let members: BTreeSet<_> = PARAMS.iter().map(|row| row.member).collect();
        assert_eq!(members.len(), PARAMS.len());
    }
}
