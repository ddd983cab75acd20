//! What becomes of each chat member here.

use crate::dialect::params::Fate::{ByModel, Dropped, Emulated, Ours, Renamed, Sent, Translated};
use crate::dialect::params::{Fate, Row};

const fn row(member: &'static str, fate: Fate, note: &'static str) -> Row {
    Row { member, fate, note }
}

/// The table of this dialect.
pub(super) static TABLE: [Row; 46] = [
    row("model", Translated, "in the path"),
    row(
        "messages",
        Translated,
        "`contents` and `systemInstruction`; late system messages as marked user text",
    ),
    row("max_completion_tokens", Renamed("maxOutputTokens"), ""),
    row("max_tokens", Renamed("maxOutputTokens"), ""),
    row(
        "temperature",
        ByModel,
        "dropped from 3.6 on, where it is ignored",
    ),
    row("top_p", ByModel, "dropped from 3.6 on, where it is ignored"),
    row("top_k", ByModel, "dropped from 3.6 on, where it is ignored"),
    row("n", ByModel, "`candidateCount`, at most 8"),
    row("stream", Translated, "another method"),
    row("stream_options", Ours, ""),
    row("stop", Translated, "`stopSequences`, at most 5"),
    row("presence_penalty", ByModel, "dropped from 3.0 on"),
    row("frequency_penalty", ByModel, "dropped from 3.0 on"),
    row("logit_bias", Dropped, "names tokens of another vocabulary."),
    row("logprobs", ByModel, "`responseLogprobs`"),
    row("top_logprobs", ByModel, "`logprobs`"),
    row("seed", ByModel, "its lowest 31 bits"),
    row("tools", Translated, "`functionDeclarations`"),
    row("tool_choice", Translated, "`functionCallingConfig`"),
    row(
        "parallel_tool_calls",
        ByModel,
        "`false` has no counterpart and is dropped",
    ),
    row("functions", Translated, "as `tools`"),
    row("function_call", Translated, "as `tool_choice`"),
    row(
        "response_format",
        ByModel,
        "JSON mode; beside functions before 3.0 by instruction",
    ),
    row("reasoning_effort", ByModel, "`thinkingConfig`"),
    row("reasoning", ByModel, "as `reasoning_effort`"),
    row("thinking", ByModel, "as `reasoning_effort`"),
    row("include_reasoning", Translated, "`includeThoughts`"),
    row("verbosity", Dropped, "has no counterpart here."),
    row(
        "modalities",
        Translated,
        "`responseModalities`; audio is a 400",
    ),
    row("audio", Dropped, "has no counterpart here."),
    row("prediction", Dropped, "has no counterpart here."),
    row("web_search_options", Emulated, "`googleSearch`"),
    row("metadata", ByModel, "`labels` on Vertex; dropped elsewhere"),
    row("user", Dropped, "has no counterpart here."),
    row("safety_identifier", Dropped, "has no counterpart here."),
    row(
        "prompt_cache_key",
        Dropped,
        "has no counterpart here: caching is implicit.",
    ),
    row(
        "prompt_cache_retention",
        Dropped,
        "has no counterpart here: caching is implicit.",
    ),
    row(
        "prompt_cache_options",
        Dropped,
        "has no counterpart here: caching is implicit.",
    ),
    row("service_tier", Translated, "`serviceTier`"),
    row("store", Dropped, "has no counterpart here."),
    row("moderation", Dropped, "has no counterpart here."),
    row("safetySettings", Sent, ""),
    row("cachedContent", Sent, ""),
    row("labels", Sent, ""),
    row("thinkingConfig", Sent, "within `generationConfig`"),
    row("mediaResolution", Sent, "within `generationConfig`"),
];
