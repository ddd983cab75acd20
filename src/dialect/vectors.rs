//! OpenAI's list of embeddings out of any provider's, and the decoder that gathers the answer it comes from.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::chat::embed::Encoding;
use crate::chat::json::{compact, elements, key, member, number, quoted};
use crate::chat::{Escaped, Event, Sink, Tokens, event};

use super::codec::{Decode, Reply, Stop, Vectors};
use super::signals;

/// What an answer holds: the embeddings in the order of the inputs, and the tokens that were counted.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// Each a list of numbers.
    pub(crate) vectors: Vec<&'a RawValue>,
    /// The inputs' tokens, where the provider tells.
    pub(crate) tokens: Option<u64>,
}

/// Reads a whole answer of one format.
pub(crate) type Read = for<'a> fn(&'a str) -> Result<Found<'a>, Stop>;

/// Gathers an answer and tells it as OpenAI's list.
#[derive(Debug)]
pub(crate) struct Gathered {
    body: Vec<u8>,
    model: String,
    wanted: Vectors,
    read: Read,
    done: bool,
}

impl Gathered {
    /// A reader for the answer of `model`.
    pub(crate) fn new(model: &str, reply: &Reply, read: Read) -> Self {
        Self {
            body: Vec::new(),
            model: model.to_owned(),
            wanted: reply.vectors,
            read,
            done: false,
        }
    }
}

impl Decode for Gathered {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let text = whole(&self.body)?;
        let found = (self.read)(text)?;
        if found.vectors.len() != self.wanted.count {
            let message = format!(
                "{} embeddings for {} inputs",
                found.vectors.len(),
                self.wanted.count
            );
            return Err(Stop::Malformed(message));
        }
        let usage = written_usage(&found);
        tell_usage(found.tokens, Some(&usage), sink);
        let list = list(&found, &self.model, self.wanted.encoding)
            .ok_or_else(|| Stop::Malformed("an embedding is no list of numbers".to_owned()))?;
        sink.event(Event::Raw(&list));
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        0
    }
}

/// A whole body as text of one JSON value.
pub(crate) fn whole(body: &[u8]) -> Result<&str, Stop> {
    let text = std::str::from_utf8(body.trim_ascii())
        .map_err(|_| Stop::Malformed("the answer is not UTF-8".to_owned()))?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(text),
        Err(error) if error.is_eof() => Err(Stop::Truncated),
        Err(_) => Err(Stop::Malformed(signals::page_message(200, body))),
    }
}

/// Tells the inputs' tokens, where they are known, with the object that tells them to the client.
pub(crate) fn tell_usage(tokens: Option<u64>, raw: Option<&str>, sink: &mut dyn Sink) {
    if let Some(prompt) = tokens {
        let tokens = Tokens {
            prompt,
            ..Tokens::default()
        };
        sink.event(Event::Usage(event::Usage { tokens, raw }));
    }
}

fn list(found: &Found<'_>, model: &str, encoding: Encoding) -> Option<String> {
    let room = found.vectors.iter().map(|raw| raw.get().len()).sum();
    let mut out = Vec::with_capacity(room);
    out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
    for (vector, at) in found.vectors.iter().zip(0_u64..) {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"object\":\"embedding\",\"index\":");
        number(at, &mut out);
        key("embedding", &mut out);
        out.extend_from_slice(written(vector, encoding)?.as_bytes());
        out.push(b'}');
    }
    out.push(b']');
    member("model", &quoted(model), &mut out);
    key("usage", &mut out);
    out.extend_from_slice(written_usage(found).as_bytes());
    out.push(b'}');
    String::from_utf8(out).ok()
}

/// The usage of a list that is written here.
fn written_usage(found: &Found<'_>) -> String {
    let count = found.tokens.unwrap_or_default();
    format!("{{\"prompt_tokens\":{count},\"total_tokens\":{count}}}")
}

/// An embedding as the client wants it; `None` where it is neither numbers nor base64 of them. Numbers keep their
/// digits where numbers are wanted.
pub(crate) fn written(raw: &RawValue, encoding: Encoding) -> Option<String> {
    match (Escaped::token(raw), encoding) {
        (Some(_), Encoding::Base64) => Some(raw.get().to_owned()),
        (Some(text), Encoding::Float) => numbers(text),
        (None, Encoding::Float) => {
            elements(raw)?;
            let mut out = Vec::with_capacity(raw.get().len());
            compact(raw.get(), &mut out);
            String::from_utf8(out).ok()
        }
        (None, Encoding::Base64) => base64(raw),
    }
}

/// Base64 of the little-endian bytes of 32-bit floats, as OpenAI writes it, quoted.
fn base64(raw: &RawValue) -> Option<String> {
    let list = elements(raw)?;
    let mut bytes = Vec::with_capacity(list.len().saturating_mul(4));
    for number in list {
        bytes.extend_from_slice(&number.get().parse::<f32>().ok()?.to_le_bytes());
    }
    Some(format!("\"{}\"", STANDARD.encode(bytes)))
}

/// The numbers in such base64, each as short as it can be told from its neighbours.
fn numbers(text: Escaped<'_>) -> Option<String> {
    let bytes = STANDARD.decode(text.decode().as_bytes()).ok()?;
    let mut out = String::from("[");
    for chunk in bytes.chunks(4) {
        let value = f32::from_le_bytes(chunk.try_into().ok()?);
        if !value.is_finite() {
            return None;
        }
        if out.len() > 1 {
            out.push(',');
        }
        let _ = write!(out, "{value}");
    }
    out.push(']');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn base64_is_of_little_endian_floats_both_ways() {
        let list = raw("[1.0, -2.5, 3e-2]");
        let expected = STANDARD.encode([1.0_f32, -2.5, 0.03].map(f32::to_le_bytes).concat());
        let quoted = format!("\"{expected}\"");
        assert_eq!(written(&list, Encoding::Base64).unwrap(), quoted);
        let back = written(&raw(&quoted), Encoding::Float).unwrap();
        assert_eq!(back, "[1,-2.5,0.03]");
    }

    #[test]
    fn numbers_keep_their_digits_and_what_is_none_is_told() {
        let list = raw("[ -0.0065322970, 1e-7 ]");
        assert_eq!(
            written(&list, Encoding::Float).unwrap(),
            "[-0.0065322970,1e-7]"
        );
        for (bad, encoding) in [
            ("{}", Encoding::Float),
            ("7", Encoding::Base64),
            (r#"["a"]"#, Encoding::Base64),
            (r#""?""#, Encoding::Float),
            (r#""AAAA""#, Encoding::Float),
        ] {
            assert_eq!(written(&raw(bad), encoding), None, "{bad}");
        }
    }
}
