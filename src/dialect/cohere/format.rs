//! `response_format`: JSON mode with or without a schema, or an instruction where the provider takes neither.

use serde_json::value::RawValue;

use crate::chat::json::{Members, compact, escape, member};
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{Mode, Report, Target};

/// The line that asks for JSON where nothing else can.
const JSON_LINE: &str = "Reply with one JSON object only: no other text, no Markdown.";

/// How the answer is brought into form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// It is free.
    Free,
    /// By the provider: the value of `response_format`.
    Native(String),
    /// By an instruction, escaped.
    Line(String),
}

/// Decides how to honour `response_format`. `beside_tools`: whether tools are offered.
///
/// # Errors
/// Where it has no known shape, or cannot be honoured under strict mode.
pub(super) fn plan(
    request: &Request,
    target: &Target<'_>,
    mode: Mode,
    beside_tools: bool,
    report: &mut Report,
) -> Result<Format, Error> {
    let Some(raw) = request.member("response_format") else {
        return Ok(Format::Free);
    };
    let shape = || {
        let message = "'response_format.type' must be text, json_object or json_schema.";
        Error::value("response_format", message)
    };
    let members = Members::parse(raw).map_err(|_| shape())?;
    let schema = match members.text("type").as_deref() {
        Some("text") => return Ok(Format::Free),
        // The provider's own form may hold a schema too.
        Some("json_object") => members.find("json_schema"),
        Some("json_schema") => Some(inner_schema(&members).ok_or_else(|| {
            let path = "response_format.json_schema.schema";
            Error::value(path, "A JSON schema is needed.")
        })?),
        _ => return Err(shape()),
    };
    let caps = target.caps;
    let known = if schema.is_some() {
        caps.json_schema
    } else {
        caps.json_object
    };
    // "The parameter is not supported when used in combinations with the documents or tools parameters"
    // (docs.cohere.com/reference/chat).
    if known != Some(false) && !beside_tools && request.member("documents").is_none() {
        return Ok(Format::Native(native(schema)));
    }
    let why = "cannot be enforced here, and is asked for instead.";
    report.emulate(mode, "response_format", why)?;
    Ok(Format::Line(line(schema)))
}

fn inner_schema<'a>(members: &Members<'a>) -> Option<&'a RawValue> {
    let inner = members.find("json_schema")?;
    Members::parse(inner.get()).ok()?.find("schema")
}

fn native(schema: Option<&RawValue>) -> String {
    let mut out = b"{\"type\":\"json_object\"".to_vec();
    if let Some(schema) = schema {
        let mut json = Vec::with_capacity(schema.get().len());
        compact(schema.get(), &mut json);
        member(
            "json_schema",
            &String::from_utf8(json).unwrap_or_default(),
            &mut out,
        );
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

fn line(schema: Option<&RawValue>) -> String {
    let mut line = JSON_LINE.as_bytes().to_vec();
    if let Some(schema) = schema {
        let mut json = Vec::with_capacity(schema.get().len());
        compact(schema.get(), &mut json);
        let json = String::from_utf8(json).unwrap_or_default();
        escape(
            &format!(" It must match this JSON schema: {json}"),
            &mut line,
        );
    }
    String::from_utf8(line).unwrap_or_default()
}

impl Format {
    /// The instruction for the system prompt, if that is the way.
    pub(super) fn line(&self) -> Option<Escaped<'_>> {
        match self {
            Self::Line(line) => Some(Escaped::trusted(line)),
            Self::Free | Self::Native(_) => None,
        }
    }
}
