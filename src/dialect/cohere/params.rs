//! What becomes of each chat member on its way to Cohere.

use super::super::params::{Fate, Row};

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

const NONE_HERE: &str = "has no counterpart here.";
const OWN: &str = "of the provider's own format.";

/// The table, in the order of OpenAI's reference, then what the provider has beyond it.
pub(super) static PARAMS: [Row; 47] = [
    row("model", Fate::Sent, ""),
    row(
        "messages",
        Fate::Translated,
        "late system messages as marked user text",
    ),
    row("max_completion_tokens", Fate::Renamed("max_tokens"), ""),
    row("max_tokens", Fate::Sent, "at most the model's own limit"),
    row("temperature", Fate::Sent, ""),
    row("top_p", Fate::Renamed("p"), "clamped to 0.01 to 0.99"),
    row("n", Fate::Ours, "one choice only"),
    row("stream", Fate::Sent, ""),
    row("stream_options", Fate::Ours, ""),
    row("stop", Fate::Renamed("stop_sequences"), "at most 5"),
    row(
        "presence_penalty",
        Fate::Sent,
        "clamped to 0 to 1; left out beside `frequency_penalty`",
    ),
    row("frequency_penalty", Fate::Sent, "clamped to 0 to 1"),
    row("logit_bias", Fate::Dropped, NONE_HERE),
    row("logprobs", Fate::Sent, "of chunks, not always of tokens"),
    row("top_logprobs", Fate::Dropped, NONE_HERE),
    row("seed", Fate::Sent, "from 0 up"),
    row(
        "tools",
        Fate::Translated,
        "custom tools as functions of one string; `strict` as `strict_tools`",
    ),
    row(
        "tool_choice",
        Fate::ByModel,
        "`REQUIRED` or `NONE`; a named tool by offering it alone",
    ),
    row(
        "parallel_tool_calls",
        Fate::ByModel,
        "`false` has no counterpart and is dropped",
    ),
    row("functions", Fate::Translated, "as tools"),
    row("function_call", Fate::Translated, "as tool_choice"),
    row(
        "response_format",
        Fate::ByModel,
        "`json_object` with `json_schema`; by instruction beside tools or documents",
    ),
    row(
        "reasoning_effort",
        Fate::ByModel,
        "`thinking` with a token budget; none below high",
    ),
    row("reasoning", Fate::ByModel, "as reasoning_effort"),
    row("include_reasoning", Fate::Dropped, "is always so here."),
    row("verbosity", Fate::Dropped, NONE_HERE),
    row("modalities", Fate::Translated, "text only"),
    row("audio", Fate::Refused, "cannot be made by this provider."),
    row("prediction", Fate::Dropped, NONE_HERE),
    row("web_search_options", Fate::Dropped, NONE_HERE),
    row("metadata", Fate::Dropped, NONE_HERE),
    row("user", Fate::Dropped, NONE_HERE),
    row("safety_identifier", Fate::Dropped, NONE_HERE),
    row("prompt_cache_key", Fate::Dropped, "is not needed here."),
    row(
        "prompt_cache_retention",
        Fate::Dropped,
        "is the provider's to decide.",
    ),
    row(
        "prompt_cache_options",
        Fate::Dropped,
        "are the provider's to decide.",
    ),
    row("service_tier", Fate::Dropped, NONE_HERE),
    row("store", Fate::Dropped, NONE_HERE),
    row("moderation", Fate::Dropped, NONE_HERE),
    row(
        "thinking",
        Fate::Translated,
        "`budget_tokens` is `token_budget` here",
    ),
    row("top_k", Fate::Renamed("k"), "clamped to 0 to 500"),
    row("documents", Fate::Sent, OWN),
    row("citation_options", Fate::Sent, OWN),
    row("safety_mode", Fate::Sent, OWN),
    row("strict_tools", Fate::Sent, OWN),
    row("priority", Fate::Sent, OWN),
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
