//! Usage as OpenAI counts it, out of what providers report.
//!
//! The provider's own object is kept with all its extras; only counts that are wrong by OpenAI's reckoning, and
//! nulls where clients expect numbers, are mended.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::json::{self, Members, whole_number};
use crate::chat::{Tokens, Usage};

/// A usage object, read and mended.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    /// The counts.
    pub(super) tokens: Tokens,
    /// The object to show.
    pub(super) json: Cow<'a, str>,
}

impl Counted<'_> {
    /// As the event says it.
    pub(super) fn usage(&self) -> Usage<'_> {
        Usage {
            tokens: self.tokens,
            raw: Some(&self.json),
        }
    }

    /// Whether anything had to be mended.
    pub(super) const fn is_mended(&self) -> bool {
        matches!(self.json, Cow::Owned(_))
    }
}

/// The numbers of a usage object, under every name they are known by.
#[derive(Debug, Default, Deserialize)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    num_search_queries: Option<u64>,
    num_sources_used: Option<u64>,
    server_tool_use: Option<Used>,
    server_tool_use_details: Option<Used>,
    #[serde(default)]
    prompt_tokens_details: Details,
    #[serde(default)]
    completion_tokens_details: Details,
}

/// A group of counts.
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
#[derive(Debug, Default, Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

/// What the provider's own tools did.
#[derive(Debug, Default, Deserialize)]
struct Used {
    web_search_requests: Option<u64>,
}

/// Reads a usage object; `None` where it counts nothing.
pub(super) fn read(raw: &RawValue) -> Option<Counted<'_>> {
    // Whole numbers in one pass; whatever is written otherwise (`10.0`, a repeated name) is read member by member.
    let counts = serde_json::from_str(raw.get());
    let counts = counts.ok().or_else(|| Counts::of_members(raw))?;
    if counts.prompt_tokens.is_none() && counts.completion_tokens.is_none() {
        return None;
    }
    let tokens = counts.tokens();
    let total = tokens.prompt.saturating_add(tokens.completion);
    let said = counts.total_tokens.unwrap_or_default().max(total);
    let is_right = counts.prompt_tokens == Some(tokens.prompt)
        && counts.completion_tokens == Some(tokens.completion)
        && counts.total_tokens == Some(said)
        && counts.prompt_tokens_details.cached_tokens == tokens.cached
        && is_plain(raw.get());
    let json = if is_right {
        Cow::Borrowed(raw.get())
    } else {
        Cow::Owned(write(&Members::parse(raw.get()).ok()?, &tokens, said))
    };
    Some(Counted { tokens, json })
}

/// Whether a usage object can be shown as it is written: on one line, and no null where clients expect numbers.
fn is_plain(json: &str) -> bool {
    let bytes = json.as_bytes();
    memchr::memchr(b'\n', bytes).is_none()
        && memchr::memchr_iter(b'u', bytes).all(|at| {
            let around = at.checked_sub(1).and_then(|start| json.get(start..));
            !around.is_some_and(|text| text.starts_with("null"))
        })
}

impl Counts {
    /// Reads what the strict shape refuses.
    fn of_members(raw: &RawValue) -> Option<Self> {
        let members = Members::parse(raw.get()).ok()?;
        if members.miscounts("prompt_tokens") || members.miscounts("completion_tokens") {
            // Half a usage would be taken for a whole one.
            return None;
        }
        Some(Self {
            prompt_tokens: members.count("prompt_tokens"),
            completion_tokens: members.count("completion_tokens"),
            total_tokens: members.count("total_tokens"),
            reasoning_tokens: members.count("reasoning_tokens"),
            prompt_cache_hit_tokens: members.count("prompt_cache_hit_tokens"),
            cached_tokens: members.count("cached_tokens"),
            num_search_queries: members.count("num_search_queries"),
            num_sources_used: members.count("num_sources_used"),
            server_tool_use: members.find("server_tool_use").map(Used::of),
            server_tool_use_details: members.find("server_tool_use_details").map(Used::of),
            prompt_tokens_details: Details::of(members.find("prompt_tokens_details")),
            completion_tokens_details: Details::of(members.find("completion_tokens_details")),
        })
    }

    fn tokens(&self) -> Tokens {
        let mut prompt = self.prompt_tokens.unwrap_or_default();
        let mut completion = self.completion_tokens.unwrap_or_default();
        let total = self.total_tokens.unwrap_or_default();
        let reasoning = self.completion_tokens_details.reasoning_tokens;
        let reasoning = reasoning.or(self.reasoning_tokens);
        // xAI counts reasoning beside the completion, and only the total includes it.
        let beside = reasoning.unwrap_or_default();
        if beside > 0 && prompt.saturating_add(completion).saturating_add(beside) == total {
            completion = completion.saturating_add(beside);
        }
        // DeepSeek and Moonshot report cache hits under names of their own.
        let cached = self.prompt_tokens_details.cached_tokens;
        let cached = cached
            .or(self.prompt_cache_hit_tokens)
            .or(self.cached_tokens);
        // More cached than sent: the prompt was counted without its cached part (some xAI models).
        if let Some(cached) = cached.filter(|cached| *cached > prompt) {
            prompt = prompt.saturating_add(cached);
        }
        Tokens {
            prompt,
            completion,
            cached,
            cache_write: self.prompt_tokens_details.cache_write_tokens,
            cache_write_1h: None,
            reasoning,
            audio_prompt: self.prompt_tokens_details.audio_tokens,
            audio_completion: self.completion_tokens_details.audio_tokens,
            searches: self.searches(),
        }
    }

    /// Searches under every name they are known by: Perplexity's queries, OpenRouter's requests, xAI's sources, each of
    /// which is billed like one.
    fn searches(&self) -> Option<u64> {
        let used = [&self.server_tool_use, &self.server_tool_use_details];
        let used = used.into_iter().flatten();
        let mut requests = used.filter_map(|used| used.web_search_requests);
        let queries = self.num_search_queries.or_else(|| requests.next());
        queries.or(self.num_sources_used)
    }
}

impl Used {
    fn of(raw: &RawValue) -> Self {
        let members = Members::parse(raw.get()).unwrap_or_default();
        Self {
            web_search_requests: members.count("web_search_requests"),
        }
    }
}

impl Details {
    fn of(raw: Option<&RawValue>) -> Self {
        let members = raw.and_then(|raw| Members::parse(raw.get()).ok());
        let members = members.unwrap_or_default();
        Self {
            cached_tokens: members.count("cached_tokens"),
            cache_write_tokens: members.count("cache_write_tokens"),
            reasoning_tokens: members.count("reasoning_tokens"),
            audio_tokens: members.count("audio_tokens"),
        }
    }
}

/// Writes the object anew: counts mended, nulls left out, the rest as it was.
fn write(members: &Members<'_>, tokens: &Tokens, total: u64) -> String {
    let counts = [
        ("prompt_tokens", tokens.prompt),
        ("completion_tokens", tokens.completion),
        ("total_tokens", total),
    ];
    let mut out = vec![b'{'];
    for (name, count) in counts {
        json::member(name, &count.to_string(), &mut out);
    }
    let is_count = |name: &str| counts.iter().any(|(known, _)| *known == name);
    for (name, value) in &members.0 {
        let is_object = value.get().starts_with('{');
        match name.as_ref() {
            "prompt_tokens_details" if is_object => {
                let cached = tokens.cached.map(|count| ("cached_tokens", count));
                group(name, value, cached, &mut out);
            }
            "completion_tokens_details" if is_object => {
                let reasoning = tokens.reasoning.map(|count| ("reasoning_tokens", count));
                group(name, value, reasoning, &mut out);
            }
            name if is_count(name) || value.get() == "null" => {}
            name => {
                json::key(name, &mut out);
                json::compact(value.get(), &mut out);
            }
        }
    }
    if let (None, Some(cached)) = (members.find("prompt_tokens_details"), tokens.cached) {
        let json = format!("{{\"cached_tokens\":{cached}}}");
        json::member("prompt_tokens_details", &json, &mut out);
    }
    if let (None, Some(count)) = (members.find("completion_tokens_details"), tokens.reasoning) {
        let json = format!("{{\"reasoning_tokens\":{count}}}");
        json::member("completion_tokens_details", &json, &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// A group of counts without its nulls, and with the one that is known from elsewhere.
fn group(name: &str, value: &RawValue, known: Option<(&str, u64)>, out: &mut Vec<u8>) {
    let inner = Members::parse(value.get()).unwrap_or_default();
    json::key(name, out);
    out.push(b'{');
    for (name, value) in &inner.0 {
        if whole_number(value.get()).is_some() {
            json::member(name, value.get(), out);
        } else if value.get() != "null" {
            json::key(name, out);
            json::compact(value.get(), out);
        }
    }
    if let Some((name, count)) = known.filter(|(name, _)| inner.find(name).is_none()) {
        json::member(name, &count.to_string(), out);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(json: &str) -> (Tokens, String) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let counted = read(raw).unwrap();
        (counted.tokens, counted.json.into_owned())
    }

    #[test]
    fn what_is_right_stays_byte_for_byte() {
        let table = [
            r#"{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}"#,
            r#"{"cost":0.00,"total_tokens": 7,"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}"#,
            r#"{"prompt_tokens":20,"completion_tokens":5,"total_tokens":120}"#,
        ];
        for json in table {
            assert_eq!(counted(json).1, json);
        }
    }

    /// E-46, E-61, E-62 and the names of DeepSeek, Moonshot and Perplexity.
    #[test]
    fn what_is_wrong_is_mended() {
        let table = [
            (
                r#"{"prompt_tokens":12,"completion_tokens":1,"total_tokens":303,"completion_tokens_details":{"reasoning_tokens":290}}"#,
                r#"{"prompt_tokens":12,"completion_tokens":291,"total_tokens":303,"completion_tokens_details":{"reasoning_tokens":290}}"#,
            ),
            (
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":90}}"#,
                r#"{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_tokens_details":{"cached_tokens":90}}"#,
            ),
            (
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":null,"audio_tokens":0},"x":null}"#,
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_tokens_details":{"audio_tokens":0}}"#,
            ),
            (
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}"#,
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6,"prompt_tokens_details":{"cached_tokens":4}}"#,
            ),
            (
                r#"{"prompt_tokens":10,"completion_tokens":1,"cached_tokens":3}"#,
                r#"{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11,"cached_tokens":3,"prompt_tokens_details":{"cached_tokens":3}}"#,
            ),
        ];
        for (json, expected) in table {
            assert_eq!(counted(json).1, expected);
        }
    }

    /// Numbers written with a fraction, and groups that are none, are read as well as whole numbers are.
    #[test]
    fn odd_writing_counts_the_same() {
        let table = [
            r#"{"prompt_tokens":5.0,"completion_tokens":2,"total_tokens":7e0}"#,
            r#"{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":"-"}"#,
            r#"{"prompt_tokens":1,"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}"#,
        ];
        for json in table {
            let (tokens, shown) = counted(json);
            assert_eq!((tokens.prompt, tokens.completion), (5, 2), "{json}");
            assert_eq!(shown, json);
        }
    }

    #[test]
    fn nothing_counted_is_no_usage() {
        let raw: &RawValue = serde_json::from_str("{}").unwrap();
        assert!(read(raw).is_none());
    }
}
