//! Usage in OpenAI's other reckoning: the same counts under other names.

use serde_json::value::RawValue;

use crate::chat::frame::write_usage;
use crate::chat::json::{self, Members};
use crate::chat::{Tokens, Usage};

/// OpenAI's usage object with what the provider says that the call cost, where it says anything.
pub(super) fn with_cost(tokens: &Tokens, raw: &RawValue) -> Option<String> {
    memchr::memmem::find(raw.get().as_bytes(), b"\"cost")?;
    let members = Members::parse(raw.get()).ok()?;
    let mut out = Vec::with_capacity(256);
    write_usage(
        &Usage {
            tokens: *tokens,
            raw: None,
        },
        &mut out,
    );
    out.pop();
    for (name, value) in &members.0 {
        if name.starts_with("cost") || name == "is_byok" {
            json::key(name, &mut out);
            json::compact(value.get(), &mut out);
        }
    }
    out.push(b'}');
    String::from_utf8(out).ok()
}

/// The counts of a usage object; `None` where it counts nothing.
pub(super) fn read(raw: &RawValue) -> Option<Tokens> {
    let usage = Members::parse(raw.get()).ok()?;
    let within = |name: &str| {
        let details = usage.find(name).map(|raw| Members::parse(raw.get()));
        details.and_then(Result::ok).unwrap_or_default()
    };
    let (prompt, completion) = (usage.count("input_tokens"), usage.count("output_tokens"));
    let miscounts = usage.miscounts("input_tokens") || usage.miscounts("output_tokens");
    if miscounts || prompt.is_none() && completion.is_none() {
        return None;
    }
    let input = within("input_tokens_details");
    Some(Tokens {
        prompt: prompt.unwrap_or_default(),
        completion: completion.unwrap_or_default(),
        cached: input.count("cached_tokens"),
        cache_write: input.count("cache_write_tokens"),
        reasoning: within("output_tokens_details").count("reasoning_tokens"),
        ..Tokens::default()
    })
}

/// The counts with the web searches among an answer's items. Opening a page that was found and looking within it are no
/// searches and cost nothing (<https://platform.openai.com/docs/guides/tools-web-search>).
pub(super) fn searched(tokens: Tokens, output: &[&RawValue]) -> Tokens {
    let searches = output.iter().filter(|raw| is_search(raw)).count();
    Tokens {
        searches: u64::try_from(searches).ok(),
        ..tokens
    }
}

fn is_search(raw: &RawValue) -> bool {
    let Ok(item) = Members::parse(raw.get()) else {
        return false;
    };
    if item.text("type").as_deref() != Some("web_search_call") {
        return false;
    }
    let action = item.find("action");
    let action = action.and_then(|raw| Members::parse(raw.get()).ok());
    let kind = action.as_ref().and_then(|action| action.text("type"));
    kind.is_none_or(|kind| kind == "search")
}
