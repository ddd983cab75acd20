//! What becomes of each chat member on its way to Claude on Vertex.

use super::super::anthropic::params::{hosted, row};
use super::super::params::{Fate, Row};

const VENDOR: &str = "is taken by the vendor's own address only.";
const MARKS: &str = "is said by each cache mark here.";

/// Anthropic's table, but for what its page "Claude on Vertex AI" takes out.
pub(super) static PARAMS: [Row; 47] = hosted([
    row("model", Fate::Translated, "in the path"),
    row(
        "stream",
        Fate::Sent,
        "in the path too; long answers are streamed to us in any case",
    ),
    row(
        "web_search_options",
        Fate::Translated,
        "the provider's web search tool",
    ),
    row("service_tier", Fate::Dropped, VENDOR),
    row("cache_control", Fate::Dropped, MARKS),
    row("mcp_servers", Fate::Refused, VENDOR),
    row("speed", Fate::Dropped, VENDOR),
    row("container", Fate::Refused, VENDOR),
]);
