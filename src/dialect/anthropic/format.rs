//! `response_format`: the provider's own structured output, or the nearest thing.

use serde_json::value::RawValue;

use crate::chat::json::{Members, compact, escape};
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{Mode, Reply, Report, Target};
use super::super::defs;
use super::schema;

/// The tool that stands in for a JSON schema.
pub(crate) const JSON_TOOL: &str = "json_response";

/// What it says of itself.
pub(crate) const JSON_WORDS: &str = "Give the answer in this form.";

/// The line that asks for JSON where nothing else can.
const JSON_LINE: &str = "Reply with one JSON object only: no other text, no Markdown.";

/// How the answer is brought into form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// It is free.
    #[default]
    Free,
    /// By the provider, with this schema.
    Native(String),
    /// By a forced tool with this schema.
    Tool(String),
    /// By an instruction, escaped.
    Line(String),
}

/// What of the target and the request bears on the form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) target: &'a Target<'a>,
    pub(crate) mode: Mode,
    /// Whether a tool of ours may be forced: there are no others, and the model does not think.
    pub(crate) may_force: bool,
}

/// Decides how to honour `response_format`.
///
/// # Errors
/// Where it has no known shape, or cannot be honoured under strict mode.
pub(crate) fn plan(
    request: &Request,
    setting: Setting<'_>,
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
    match members.text("type").as_deref() {
        Some("text") => Ok(Format::Free),
        Some("json_object") => {
            let why = "is asked for by instruction, as there is no such form here.";
            report.emulate(setting.mode, "response_format", why)?;
            Ok(Format::Line(JSON_LINE.to_owned()))
        }
        Some("json_schema") => {
            let inner = members
                .find("json_schema")
                .map(|raw| Members::parse(raw.get()));
            let inner = inner.and_then(Result::ok).ok_or_else(shape)?;
            let schema = inner.find("schema").ok_or_else(|| {
                let path = "response_format.json_schema.schema";
                Error::value(path, "A JSON schema is needed.")
            })?;
            by_schema(schema, setting, report)
        }
        _ => Err(shape()),
    }
}

fn by_schema(raw: &RawValue, setting: Setting<'_>, report: &mut Report) -> Result<Format, Error> {
    let fitted = schema::fit(raw);
    let caps = setting.target.caps;
    if caps.json_schema != Some(false) && !fitted.open {
        return Ok(Format::Native(fitted.json));
    }
    let why = "cannot be enforced here, and is asked for instead.";
    report.emulate(setting.mode, "response_format", why)?;
    let mut json = Vec::with_capacity(raw.get().len());
    compact(raw.get(), &mut json);
    let json = String::from_utf8(json).unwrap_or_default();
    let is_object = Members::parse(raw.get()).is_ok_and(|schema| defs::is_object(&schema));
    if setting.may_force && is_object && caps.forced_tool_choice != Some(false) {
        return Ok(Format::Tool(json));
    }
    let mut line = JSON_LINE.as_bytes().to_vec();
    escape(
        &format!(" It must match this JSON schema: {json}"),
        &mut line,
    );
    Ok(Format::Line(String::from_utf8(line).unwrap_or_default()))
}

impl Format {
    /// The instruction for the system prompt, if that is the way.
    pub(crate) fn line(&self) -> Option<Escaped<'_>> {
        match self {
            Self::Line(line) => Some(Escaped::trusted(line)),
            Self::Free | Self::Native(_) | Self::Tool(_) => None,
        }
    }

    /// Notes what the decoder has to undo, and gives back the schema of the stand-in tool if there is one.
    pub(crate) fn note(&self, reply: &mut Reply) -> Option<&str> {
        match self {
            Self::Free | Self::Native(_) => None,
            Self::Line(_) => {
                reply.strip_fences = true;
                None
            }
            Self::Tool(schema) => {
                reply.json_tool = Some(JSON_TOOL.to_owned());
                Some(schema)
            }
        }
    }
}
