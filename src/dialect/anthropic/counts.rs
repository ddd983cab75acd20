//! Anthropic's token counts in OpenAI's reckoning.

use serde_json::value::RawValue;

use crate::chat::json::Members;
use crate::chat::{Escaped, Event, Sink, Tokens, event};

use super::wire::Usage;

/// The counts so far. A later telling holds over an earlier one, member by member (E-01 to E-04).
#[derive(Debug, Default)]
pub(super) struct Counts {
    input: u64,
    output: u64,
    read: Option<u64>,
    written: Option<u64>,
    written_1h: Option<u64>,
    thinking: Option<u64>,
    searches: Option<u64>,
    tier_told: bool,
}

impl Counts {
    /// Takes a `usage` object and tells the sums.
    pub(super) fn merge(&mut self, raw: &RawValue, sink: &mut dyn Sink) {
        let Ok(usage) = serde_json::from_str::<Usage<'_>>(raw.get()) else {
            // What was told before it is not the whole.
            sink.event(Event::Usage(event::Usage {
                tokens: Tokens::UNREADABLE,
                raw: None,
            }));
            return;
        };
        self.input = usage.input_tokens.unwrap_or(self.input);
        self.output = usage.output_tokens.unwrap_or(self.output);
        self.read = usage.cache_read_input_tokens.or(self.read);
        self.written = usage.cache_creation_input_tokens.or(self.written);
        let hour = usage
            .cache_creation
            .and_then(|c| c.ephemeral_1h_input_tokens);
        self.written_1h = hour.or(self.written_1h);
        let thinking = usage.output_tokens_details.and_then(|d| d.thinking_tokens);
        self.thinking = thinking.or(self.thinking);
        let used = usage.server_tool_use;
        let used = used.and_then(|raw| Members::parse(raw.get()).ok());
        let searches = used.and_then(|used| used.count("web_search_requests"));
        self.searches = searches.or(self.searches);
        self.tier(usage.service_tier, sink);
        sink.event(Event::Usage(event::Usage {
            tokens: self.tokens(),
            raw: None,
        }));
    }

    fn tokens(&self) -> Tokens {
        let cached = self.read.unwrap_or_default();
        let written = self.written.unwrap_or_default();
        Tokens {
            prompt: self.input.saturating_add(cached).saturating_add(written),
            completion: self.output,
            cached: self.read,
            cache_write: self.written,
            cache_write_1h: self.written_1h,
            reasoning: self.thinking,
            searches: self.searches,
            ..Tokens::default()
        }
    }

    /// Tells the tier once, by OpenAI's names; names it does not have are not told (E-60).
    fn tier(&mut self, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        let name = raw.and_then(Escaped::token).map(Escaped::as_str);
        let json = match name {
            Some("standard" | "batch") => "\"default\"",
            Some("priority") => "\"priority\"",
            _ => return,
        };
        if !std::mem::replace(&mut self.tier_told, true) {
            sink.event(Event::Top {
                name: "service_tier",
                json,
            });
        }
    }
}
