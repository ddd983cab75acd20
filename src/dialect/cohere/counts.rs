//! Cohere's token counts in OpenAI's reckoning, with what is billed beside them: the two differ widely, as tokens
//! count what the provider itself puts before a prompt (docs.cohere.com/v2/docs/how-does-cohere-pricing-work).

use serde_json::value::RawValue;

use crate::chat::json::{Members, compact, key, number, whole_number};
use crate::chat::{Event, Sink, Tokens, event};

use super::wire::{Usage, typed};

/// Tells a `usage` object.
pub(super) fn tell(raw: Option<&RawValue>, sink: &mut dyn Sink) {
    let usage: Usage<'_> = typed(raw);
    let billed = members(usage.billed_units);
    let counted = usage.tokens.map(|raw| members(Some(raw)));
    let Some(source) = counted
        .as_ref()
        .or_else(|| usage.billed_units.map(|_| &billed))
    else {
        return;
    };
    let miscounts =
        |from: &Members<'_>| from.miscounts("input_tokens") || from.miscounts("output_tokens");
    if miscounts(source) || miscounts(&billed) {
        sink.event(Event::Usage(event::Usage {
            tokens: Tokens::UNREADABLE,
            raw: None,
        }));
        return;
    }
    let tokens = Tokens {
        prompt: source.count("input_tokens").unwrap_or_default(),
        completion: source.count("output_tokens").unwrap_or_default(),
        cached: usage.cached_tokens.and_then(|raw| whole_number(raw.get())),
        ..Tokens::default()
    };
    let raw = usage
        .billed_units
        .map(|billed| with_billed(&tokens, billed.get()));
    sink.event(Event::Usage(event::Usage {
        tokens,
        raw: raw.as_deref(),
    }));
}

fn members(raw: Option<&RawValue>) -> Members<'_> {
    raw.and_then(|raw| Members::parse(raw.get()).ok())
        .unwrap_or_default()
}

/// OpenAI's usage object with the provider's bill in it.
fn with_billed(tokens: &Tokens, billed: &str) -> String {
    let mut out = b"{".to_vec();
    let counts = [
        ("prompt_tokens", tokens.prompt),
        ("completion_tokens", tokens.completion),
        (
            "total_tokens",
            tokens.prompt.saturating_add(tokens.completion),
        ),
    ];
    for (name, count) in counts {
        key(name, &mut out);
        number(count, &mut out);
    }
    if let Some(cached) = tokens.cached {
        key("prompt_tokens_details", &mut out);
        out.extend_from_slice(b"{\"cached_tokens\":");
        number(cached, &mut out);
        out.push(b'}');
    }
    key("billed_units", &mut out);
    compact(billed, &mut out);
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(usage: &str) -> String {
        let mut events = Vec::<String>::new();
        tell(Some(serde_json::from_str(usage).unwrap()), &mut events);
        events.join("")
    }

    #[test]
    fn tokens_are_counted_and_the_bill_is_kept() {
        let usage = r#"{"billed_units": {"input_tokens": 7, "output_tokens": 3}, "tokens": {"input_tokens": 60.0, "output_tokens": 4}, "cached_tokens": 48}"#;
        let told = told(usage);
        assert!(
            told.contains("prompt: 60, completion: 4, cached: Some(48)"),
            "{told}"
        );
        assert!(
            told.contains(r#"\"total_tokens\":64,\"prompt_tokens_details\":{\"cached_tokens\":48},\"billed_units\":{\"input_tokens\":7,\"output_tokens\":3}}"#),
            "{told}"
        );
    }

    #[test]
    fn without_tokens_the_bill_counts_and_without_both_nothing_is_told() {
        let billed = told(r#"{"billed_units":{"input_tokens":7,"output_tokens":3}}"#);
        assert!(billed.contains("prompt: 7, completion: 3"), "{billed}");
        assert_eq!(told("{}"), "");
        assert_eq!(told("null"), "");
    }
}
