//! What becomes of each chat member on its way to Claude on Vertex.

use super::super::anthropic::params::{Hosted, row, table};
use super::super::params::{Fate, Row};

const VENDOR: &str = "is taken by the vendor's own address only.";
const MARKS: &str = "is said by each cache mark here.";

/// Anthropic's table, but for what its page "Claude on Vertex AI" takes out.
pub(super) static PARAMS: [Row; 47] = table(Hosted {
    model: row("model", Fate::Translated, "in the path"),
    stream: row(
        "stream",
        Fate::Sent,
        "in the path too; long answers are streamed to us in any case",
    ),
    web_search_options: row(
        "web_search_options",
        Fate::Translated,
        "the provider's web search tool",
    ),
    service_tier: row("service_tier", Fate::Dropped, VENDOR),
    cache_control: row("cache_control", Fate::Dropped, MARKS),
    mcp_servers: row("mcp_servers", Fate::Refused, VENDOR),
    speed: row("speed", Fate::Dropped, VENDOR),
    container: row("container", Fate::Refused, VENDOR),
});
