//! What becomes of each chat member on its way to Anthropic.

use super::super::params::{Fate, Row};

/// A row of a table.
pub(crate) const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

const NONE_HERE: &str = "has no counterpart here.";
const OWN: &str = "of the provider's own format.";

/// The table, in the order of OpenAI's reference, then what the provider has beyond it.
pub(crate) const PARAMS: [Row; 47] = [
    row("model", Fate::Sent, ""),
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
    row(
        "stream",
        Fate::Sent,
        "long answers are streamed to us in any case",
    ),
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
    row(
        "web_search_options",
        Fate::Translated,
        "the provider's web search tool",
    ),
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
    row(
        "service_tier",
        Fate::Translated,
        "auto and default; others are left out",
    ),
    row("store", Fate::Dropped, NONE_HERE),
    row("moderation", Fate::Dropped, NONE_HERE),
    row("thinking", Fate::Sent, OWN),
    row("top_k", Fate::ByModel, OWN),
    row("cache_control", Fate::Sent, OWN),
    row("mcp_servers", Fate::Sent, OWN),
    row("context_management", Fate::Sent, OWN),
    row("speed", Fate::Sent, OWN),
    row("container", Fate::Sent, OWN),
    row("usage", Fate::Dropped, "is always told."),
];

/// The table of another host of the format: the vendor's, but for the rows that are the host's own; those of members
/// that the vendor does not have come last.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "counted at compile time, where both are errors"
)]
pub(crate) const fn hosted<const OWN: usize, const ALL: usize>(own: [Row; OWN]) -> [Row; ALL] {
    let mut all = [row("", Fate::Ours, ""); ALL];
    let mut at = 0;
    while at < PARAMS.len() {
        all[at] = PARAMS[at];
        at += 1;
    }
    let mut next = 0;
    while next < own.len() {
        let mut place = 0;
        while place < at && !is_same(all[place].member, own[next].member) {
            place += 1;
        }
        all[place] = own[next];
        if place == at {
            at += 1;
        }
        next += 1;
    }
    assert!(at == all.len(), "the table's length is not what was said");
    all
}

/// Whether two names are the same, at compile time.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "counted at compile time, where both are errors"
)]
const fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
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
