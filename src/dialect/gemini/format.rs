//! `response_format`: JSON mode where the model has it, an instruction where it has not.

use serde_json::value::RawValue;

use crate::chat::{Error, json};

use super::job::{Job, object};
use super::schema;
use super::tools::Plan;

const ANY_JSON: &str =
    "Reply with one JSON object only: no other words before or after it, and no code fence.";

/// What form the answer shall have, and how it is brought about.
#[derive(Debug)]
pub(super) enum Format<'a> {
    Text,
    Json,
    Schema(&'a RawValue),
    /// By a line of the system instruction, as the model has no such mode for this request.
    Instruction(String),
}

impl Format<'_> {
    pub(super) fn instruction(&self) -> Option<&str> {
        match self {
            Self::Instruction(text) => Some(text),
            Self::Text | Self::Json | Self::Schema(_) => None,
        }
    }

    pub(super) const fn by_instruction(&self) -> bool {
        matches!(self, Self::Instruction(_))
    }

    /// The members within `generationConfig`.
    pub(super) fn write(&self, job: &Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Text | Self::Instruction(_) => return Ok(()),
            Self::Json | Self::Schema(_) => {
                json::member("responseMimeType", "\"application/json\"", config);
            }
        }
        if let Self::Schema(schema) = self {
            if job.model.has_old_schemas() {
                let old = schema::old(schema, "response_format.json_schema.schema")?;
                json::member("responseSchema", &old.to_string(), config);
            } else {
                json::member("responseJsonSchema", &schema::modern(schema), config);
            }
        }
        Ok(())
    }
}

/// Reads what is asked and decides how to bring it about.
pub(super) fn read<'a>(job: &mut Job<'a>, plan: &Plan<'_>) -> Result<Format<'a>, Error> {
    let Some(raw) = job.member("response_format")? else {
        return Ok(Format::Text);
    };
    let members = object("response_format", raw)?;
    let format = match members.text("type").as_deref() {
        Some("text") => return Ok(Format::Text),
        Some("json_object") => Format::Json,
        Some("json_schema") => Format::Schema(wanted_schema(&members)?),
        _ => {
            let message =
                "'response_format.type' must be \"text\", \"json_object\" or \"json_schema\".";
            return Err(Error::value("response_format.type", message));
        }
    };
    let caps = job.target.caps;
    let lacking = match format {
        Format::Schema(_) => caps.json_schema == Some(false),
        Format::Json | Format::Text | Format::Instruction(_) => caps.json_object == Some(false),
    };
    // Models before the third generation answer 400 to JSON mode beside function declarations.
    let beside_functions = job.model.is_before_third() && plan.has_functions();
    if !lacking && !beside_functions {
        return Ok(format);
    }
    job.emulate(
        "response_format",
        "cannot be honoured by this model for this request.",
    )?;
    Ok(Format::Instruction(match format {
        Format::Schema(schema) => with_schema(schema),
        Format::Json | Format::Text | Format::Instruction(_) => ANY_JSON.to_owned(),
    }))
}

fn wanted_schema<'a>(members: &crate::chat::Members<'a>) -> Result<&'a RawValue, Error> {
    let inner = members
        .find("json_schema")
        .map(|raw| object("response_format.json_schema", raw.get()))
        .transpose()?;
    inner.and_then(|inner| inner.find("schema")).ok_or_else(|| {
        let path = "response_format.json_schema.schema";
        Error::value(path, format!("'{path}' is missing."))
    })
}

fn with_schema(schema: &RawValue) -> String {
    let mut compact = Vec::new();
    json::compact(schema.get(), &mut compact);
    let schema = String::from_utf8(compact).unwrap_or_default();
    format!("{ANY_JSON} It must hold to this JSON schema: {schema}")
}
