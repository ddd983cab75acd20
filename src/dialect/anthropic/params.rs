//! What becomes of each chat member on its way to Anthropic.

use super::super::params::{Fate, Row};

/// A row of a table.
pub(in crate::dialect) const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

const NONE_HERE: &str = "has no counterpart here.";
const OWN: &str = "of the provider's own format.";

/// The rows that differ from one host of the format to another.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct Hosted {
    pub(in crate::dialect) model: Row,
    pub(in crate::dialect) stream: Row,
    pub(in crate::dialect) web_search_options: Row,
    pub(in crate::dialect) service_tier: Row,
    pub(in crate::dialect) cache_control: Row,
    pub(in crate::dialect) mcp_servers: Row,
    pub(in crate::dialect) speed: Row,
    pub(in crate::dialect) container: Row,
}

/// The vendor's own table, in the order of OpenAI's reference, then what the provider has beyond it.
pub(in crate::dialect) static PARAMS: [Row; 47] = table(Hosted {
    model: row("model", Fate::Sent, ""),
    stream: row(
        "stream",
        Fate::Sent,
        "long answers are streamed to us in any case",
    ),
    web_search_options: row(
        "web_search_options",
        Fate::Translated,
        "the provider's web search tool",
    ),
    service_tier: row(
        "service_tier",
        Fate::Translated,
        "auto and default; others are left out",
    ),
    cache_control: row("cache_control", Fate::Sent, OWN),
    mcp_servers: row("mcp_servers", Fate::Sent, OWN),
    speed: row("speed", Fate::Sent, OWN),
    container: row("container", Fate::Sent, OWN),
});

/// A host's table.
pub(in crate::dialect) const fn table(host: Hosted) -> [Row; 47] {
    [
        host.model,
        row(
            "messages",
            Fate::Translated,
            "late system messages stay in place",
        ),
        row(
            "max_completion_tokens",
            Fate::Renamed("max_tokens"),
            "the model's own limit where neither is given",
        ),
        row(
            "max_tokens",
            Fate::Sent,
            "the model's own limit where it is not given",
        ),
        row(
            "temperature",
            Fate::ByModel,
            "clamped to 1; left out where refused",
        ),
        row(
            "top_p",
            Fate::ByModel,
            "left out beside temperature, and where refused",
        ),
        row("n", Fate::Ours, "one choice only"),
        host.stream,
        row("stream_options", Fate::Ours, ""),
        row(
            "stop",
            Fate::Renamed("stop_sequences"),
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
            "custom tools as functions of one string",
        ),
        row(
            "tool_choice",
            Fate::ByModel,
            "a forced choice becomes auto where refused",
        ),
        row(
            "parallel_tool_calls",
            Fate::Translated,
            "`tool_choice.disable_parallel_tool_use`",
        ),
        row("functions", Fate::Translated, "as tools"),
        row("function_call", Fate::Translated, "as tool_choice"),
        row(
            "response_format",
            Fate::ByModel,
            "`output_config.format`; by instruction where there is no schema",
        ),
        row(
            "reasoning_effort",
            Fate::ByModel,
            "`thinking` and `output_config.effort`",
        ),
        row("reasoning", Fate::ByModel, "as reasoning_effort"),
        row(
            "include_reasoning",
            Fate::ByModel,
            "asks for summarized thinking",
        ),
        row("verbosity", Fate::Dropped, NONE_HERE),
        row("modalities", Fate::Translated, "text only"),
        row("audio", Fate::Refused, "cannot be made by this provider."),
        row("prediction", Fate::Dropped, NONE_HERE),
        host.web_search_options,
        row("metadata", Fate::Dropped, NONE_HERE),
        row(
            "user",
            Fate::Renamed("metadata.user_id"),
            "hashed where it is long, an e-mail or a phone number",
        ),
        row(
            "safety_identifier",
            Fate::Renamed("metadata.user_id"),
            "where there is no user",
        ),
        row("prompt_cache_key", Fate::Dropped, NONE_HERE),
        row(
            "prompt_cache_retention",
            Fate::Dropped,
            "is said by each cache mark here.",
        ),
        row(
            "prompt_cache_options",
            Fate::Dropped,
            "are said by each cache mark here.",
        ),
        host.service_tier,
        row("store", Fate::Dropped, NONE_HERE),
        row("moderation", Fate::Dropped, NONE_HERE),
        row("thinking", Fate::Sent, OWN),
        row("top_k", Fate::ByModel, OWN),
        host.cache_control,
        host.mcp_servers,
        row("context_management", Fate::Sent, OWN),
        host.speed,
        host.container,
        row("usage", Fate::Dropped, "is always told."),
    ]
}

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
