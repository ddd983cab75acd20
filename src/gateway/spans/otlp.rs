//! Spans in the JSON form of OTLP, with the names of OpenTelemetry's conventions for generative AI
//! (opentelemetry.io/docs/specs/otlp, opentelemetry.io/docs/specs/semconv/gen-ai, seen November 2026).

use crate::chat::json;

use super::span::{Fact, Kind, Span};

/// One export of spans.
pub(super) fn export(service: &str, spans: &[Span]) -> Vec<u8> {
    let mut out = Vec::with_capacity(spans.len() * 900 + 300);
    out.extend_from_slice(b"{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    fact("service.name", &Fact::Text(service.into()), &mut out);
    let version = Fact::Word(env!("CARGO_PKG_VERSION"));
    fact("service.version", &version, &mut out);
    out.extend_from_slice(b"]},\"scopeSpans\":[{\"scope\":{\"name\":\"waypost\"},\"spans\":[");
    for span in spans {
        json::comma(&mut out);
        write(span, &mut out);
    }
    out.extend_from_slice(b"]}]}]}");
    out
}

fn write(span: &Span, out: &mut Vec<u8>) {
    out.push(b'{');
    quoted("traceId", &format!("{:032x}", span.place.trace), out);
    quoted("spanId", &format!("{:016x}", span.place.own), out);
    if let Some(parent) = span.place.parent {
        quoted("parentSpanId", &format!("{parent:016x}"), out);
    }
    quoted("name", &format!("{} {}", span.operation, span.model), out);
    let kind = match span.kind {
        Kind::Server => "2",
        Kind::Client => "3",
    };
    json::member("kind", kind, out);
    quoted("startTimeUnixNano", &span.from.to_string(), out);
    quoted("endTimeUnixNano", &span.to.to_string(), out);
    json::key("attributes", out);
    out.push(b'[');
    attributes(span, out);
    out.push(b']');
    let status = if span.error.is_some() {
        "{\"code\":2}"
    } else {
        "{}"
    };
    json::member("status", status, out);
    out.push(b'}');
}

fn attributes(span: &Span, out: &mut Vec<u8>) {
    fact("gen_ai.operation.name", &Fact::Word(span.operation), out);
    fact(
        "gen_ai.provider.name",
        &Fact::Text(span.provider.clone()),
        out,
    );
    fact("gen_ai.request.model", &Fact::Text(span.model.clone()), out);
    if let Some(tokens) = &span.tokens {
        fact(
            "gen_ai.usage.input_tokens",
            &Fact::Count(tokens.prompt),
            out,
        );
        fact(
            "gen_ai.usage.output_tokens",
            &Fact::Count(tokens.completion),
            out,
        );
    }
    if let Some(error) = span.error {
        fact("error.type", &Fact::Word(error), out);
    }
    for (name, more) in &span.facts {
        fact(name, more, out);
    }
}

/// One attribute. 64-bit numbers are strings in this form.
fn fact(name: &str, value: &Fact, out: &mut Vec<u8>) {
    json::comma(out);
    out.push(b'{');
    quoted("key", name, out);
    json::key("value", out);
    out.push(b'{');
    match value {
        Fact::Text(text) => quoted("stringValue", text, out),
        Fact::Word(word) => quoted("stringValue", word, out),
        Fact::Count(count) => quoted("intValue", &count.to_string(), out),
        Fact::Number(number) => json::member("doubleValue", number, out),
    }
    out.extend_from_slice(b"}}");
}

fn quoted(name: &str, value: &str, out: &mut Vec<u8>) {
    json::key(name, out);
    json::quote(value, out);
}

#[cfg(test)]
mod tests {
    use super::super::span::Place;
    use super::*;
    use crate::chat::Tokens;

    #[test]
    fn a_span_is_written_as_collectors_read_it() {
        let place = Place {
            trace: 0xabc,
            own: 0x12,
            parent: Some(0x34),
        };
        let span = Span {
            place,
            kind: Kind::Client,
            operation: "chat",
            provider: "lab".into(),
            model: "a \"model\"".into(),
            from: 1_795_500_000_000_000_000,
            to: 1_795_500_000_250_000_000,
            error: Some("upstream_error"),
            tokens: Some(Tokens {
                prompt: 5,
                completion: 6,
                ..Tokens::default()
            }),
            facts: vec![("waypost.cost_usd", Fact::Number("0.0012".to_owned()))],
        };
        let text = export("mine", &[span.clone(), span]);
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let service = &json["resourceSpans"][0]["resource"]["attributes"][0];
        assert_eq!(service["value"]["stringValue"], "mine");
        let spans = &json["resourceSpans"][0]["scopeSpans"][0]["spans"];
        assert_eq!(spans.as_array().unwrap().len(), 2);
        let wanted = serde_json::json!({
            "traceId": "00000000000000000000000000000abc", "spanId": "0000000000000012",
            "parentSpanId": "0000000000000034", "name": "chat a \"model\"", "kind": 3,
            "startTimeUnixNano": "1795500000000000000", "endTimeUnixNano": "1795500000250000000",
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.provider.name", "value": {"stringValue": "lab"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "a \"model\""}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "5"}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "6"}},
                {"key": "error.type", "value": {"stringValue": "upstream_error"}},
                {"key": "waypost.cost_usd", "value": {"doubleValue": 0.0012}},
            ],
            "status": {"code": 2},
        });
        assert_eq!(spans[1], wanted);
    }
}
