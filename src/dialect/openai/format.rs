//! `response_format` where the provider or the model does not have it.

use crate::chat::Error;
use crate::chat::json::{self, Members};

use super::draft::Draft;

/// Emulates JSON formats: by the next weaker format and a system message that says the rest.
pub(super) fn response_format(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(raw) = draft.member("response_format") else {
        return Ok(());
    };
    let (quirks, caps) = (draft.target.quirks, draft.target.caps);
    let has_schema = quirks.json_schema && caps.json_schema != Some(false);
    let has_object = quirks.json_object && caps.json_object != Some(false);
    if has_schema && has_object {
        return Ok(());
    }
    let shape = |_| Error::value("response_format", "'response_format' must be an object.");
    let format = Members::parse(raw).map_err(shape)?;
    let text = match format.text("type").as_deref() {
        Some("json_schema") if !has_schema => by_schema(&format)?,
        Some("json_object") if !has_object => {
            "Reply with one JSON object and nothing else: no Markdown, no code fence.".to_owned()
        }
        _ => return Ok(()),
    };
    let mode = draft.mode();
    draft.report.emulate(
        mode,
        "response_format",
        "is not supported by this model or its provider.",
    )?;
    if has_object {
        draft.put("response_format", "{\"type\":\"json_object\"}".to_owned());
    } else {
        draft.omit("response_format");
        draft.reply.strip_fences = true;
    }
    draft.instruction = Some(text);
    Ok(())
}

fn by_schema(format: &Members<'_>) -> Result<String, Error> {
    let missing = || {
        Error::value(
            "response_format.json_schema.schema",
            "A 'json_schema' format needs 'json_schema.schema'.",
        )
    };
    let inner = format.find("json_schema").ok_or_else(missing)?;
    let inner = Members::parse(inner.get()).map_err(|_| missing())?;
    let schema = inner.find("schema").ok_or_else(missing)?;
    let mut text = String::from(
        "Reply with one JSON object and nothing else: no Markdown, no code fence. It must match this JSON schema: ",
    );
    let mut compact = Vec::with_capacity(schema.get().len());
    json::compact(schema.get(), &mut compact);
    text.push_str(&String::from_utf8_lossy(&compact));
    Ok(text)
}
