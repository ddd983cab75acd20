//! What becomes of each chat member at an OpenAI-shaped provider.

use super::super::params::{Fate, Row};

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

/// The table; members that are not in it are sent as they are.
pub(super) static TABLE: [Row; 43] = [
    row("model", Fate::Translated, "the provider's own name"),
    row(
        "messages",
        Fate::Sent,
        "mended only where a provider differs",
    ),
    row("max_completion_tokens", Fate::ByModel, "or `max_tokens`"),
    row("max_tokens", Fate::ByModel, "or `max_completion_tokens`"),
    row("temperature", Fate::ByModel, ""),
    row("top_p", Fate::ByModel, ""),
    row("top_k", Fate::ByModel, ""),
    row("n", Fate::ByModel, "400 where only one choice is given"),
    row("stream", Fate::Sent, ""),
    row(
        "stream_options",
        Fate::Translated,
        "usage is always asked for",
    ),
    row("stop", Fate::ByModel, ""),
    row("presence_penalty", Fate::ByModel, ""),
    row("frequency_penalty", Fate::ByModel, ""),
    row("logit_bias", Fate::ByModel, ""),
    row("logprobs", Fate::ByModel, ""),
    row("top_logprobs", Fate::ByModel, ""),
    row("seed", Fate::ByModel, ""),
    row("tools", Fate::Sent, "an empty list is left out"),
    row("tool_choice", Fate::ByModel, "left out without tools"),
    row(
        "parallel_tool_calls",
        Fate::ByModel,
        "left out without tools",
    ),
    row("functions", Fate::Sent, ""),
    row("function_call", Fate::Sent, ""),
    row(
        "response_format",
        Fate::ByModel,
        "emulated where the provider has none",
    ),
    row(
        "reasoning_effort",
        Fate::ByModel,
        "the nearest level the model takes",
    ),
    row("verbosity", Fate::ByModel, ""),
    row("modalities", Fate::ByModel, ""),
    row("audio", Fate::ByModel, ""),
    row("prediction", Fate::ByModel, ""),
    row("web_search_options", Fate::ByModel, ""),
    row("metadata", Fate::ByModel, ""),
    row("user", Fate::ByModel, ""),
    row("safety_identifier", Fate::ByModel, ""),
    row("prompt_cache_key", Fate::ByModel, ""),
    row("prompt_cache_retention", Fate::ByModel, ""),
    row("prompt_cache_options", Fate::ByModel, ""),
    row("service_tier", Fate::ByModel, "by the provider's own names"),
    row("store", Fate::ByModel, ""),
    row("moderation", Fate::ByModel, ""),
    row("thinking", Fate::Sent, ""),
    row("reasoning", Fate::Sent, ""),
    row("waypost", Fate::Ours, ""),
    row("models", Fate::Ours, ""),
    row("fallbacks", Fate::Ours, ""),
];
