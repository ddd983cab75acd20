//! The form of the answer's text: `response_format` and `verbosity` as the `text` object.

use crate::chat::Error;
use crate::chat::json::{Members, key, member};

use super::job::Job;

/// Writes the `text` object, if there is anything to say.
///
/// # Errors
/// Where the format has no known shape.
pub(super) fn text(job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let format = job.member("response_format")?.map(format).transpose()?;
    let verbosity = job.member("verbosity")?;
    if format.is_none() && verbosity.is_none() {
        return Ok(());
    }
    key("text", out);
    out.push(b'{');
    if let Some(format) = format {
        member("format", &format, out);
    }
    if let Some(verbosity) = verbosity {
        member("verbosity", verbosity, out);
    }
    out.push(b'}');
    Ok(())
}

/// A format in this API's shape: what is nested in chat completions is flat here.
fn format(raw: &str) -> Result<String, Error> {
    let shape = |_| Error::value("response_format", "'response_format' must be an object.");
    let format = Members::parse(raw).map_err(shape)?;
    if format.text("type").as_deref() != Some("json_schema") {
        return Ok(raw.to_owned());
    }
    let missing = || {
        let message = "A 'json_schema' format needs 'json_schema' with 'name' and 'schema'.";
        Error::value("response_format.json_schema", message)
    };
    let inner = format.find("json_schema").ok_or_else(missing)?;
    let inner = Members::parse(inner.get()).map_err(|_| missing())?;
    let mut out = b"{\"type\":\"json_schema\"".to_vec();
    for (name, value) in inner.0.iter().filter(|(_, value)| value.get() != "null") {
        member(name, value.get(), &mut out);
    }
    if inner.find("strict").is_none() {
        member("strict", "false", &mut out);
    }
    out.push(b'}');
    Ok(String::from_utf8(out).unwrap_or_default())
}
