//! Content parts as this API's input parts.

use serde_json::value::RawValue;

use crate::chat::Error;
use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::message::{Part, PartKind};

use super::super::codec::refused;
use super::super::media;
use super::job::Job;

/// What stands for the name of a file that has none: the provider demands one.
const UNNAMED: &str = "file";

/// Writes parts, comma separated. `path` names the content they are in; a mark on the whole stands on its last part.
///
/// # Errors
/// Where a part cannot be sent in this format.
pub(super) fn write(
    job: &mut Job<'_>,
    parts: &[Part<'_>],
    path: &str,
    whole: Option<&RawValue>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        let path = format!("{path}[{at}]");
        one(job, part, &path, out)?;
        let cache = part.cache.or_else(|| whole.filter(|_| at == last));
        mark(job, cache, &path, out)?;
        out.push(b'}');
    }
    Ok(())
}

/// Writes a part up to its closing brace.
fn one(job: &mut Job<'_>, part: &Part<'_>, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    comma(out);
    match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => {
            out.extend_from_slice(b"{\"type\":\"input_text\",\"text\":");
            text.write_quoted(out);
        }
        PartKind::Image { url, detail } => {
            if job.target.quirks.inline_images && !url.starts_with("data:") {
                let why = "must be sent inline, as a data: URL.";
                return Err(refused(&format!("{path}.image_url"), why));
            }
            out.extend_from_slice(b"{\"type\":\"input_image\"");
            member("image_url", &quoted(url), out);
            member("detail", &quoted(detail.as_deref().unwrap_or("auto")), out);
        }
        PartKind::File { data, id, name } => {
            out.extend_from_slice(b"{\"type\":\"input_file\"");
            match (data, id) {
                (Some(data), _) => file(job, data, name.as_deref(), path, out)?,
                (None, Some(id)) => member("file_id", &quoted(id), out),
                (None, None) => {}
            }
        }
        PartKind::Audio { .. } => {
            let why = "is not heard by this model: this format has no audio.";
            return Err(refused(&format!("{path}.input_audio"), why));
        }
        PartKind::Other(_) => {
            let why = "is no content that this format knows.";
            return Err(refused(&format!("{path}.type"), why));
        }
    }
    Ok(())
}

/// A file's content, which is always a `data:` URL here.
fn file(
    job: &mut Job<'_>,
    data: &str,
    name: Option<&str>,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if name.is_none() {
        job.report.fill(format!("{path}.file.filename"));
    }
    member("filename", &quoted(name.unwrap_or(UNNAMED)), out);
    if data.starts_with("data:") {
        member("file_data", &quoted(data), out);
        return Ok(());
    }
    let inline = media::inline(data, name).ok_or_else(|| {
        let path = format!("{path}.file.file_data");
        let message = format!("'{path}' holds no base64 that can be read.");
        Error::value(path, message)
    })?;
    let url = format!("data:{};base64,{}", inline.mime, inline.base64);
    member("file_data", &quoted(&url), out);
    Ok(())
}

/// Writes a prompt-cache mark: the vendor's own passes, another's means nothing here.
///
/// # Errors
/// Under strict mode where the mark is another vendor's.
pub(super) fn mark(
    job: &mut Job<'_>,
    mark: Option<&RawValue>,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let Some(raw) = mark else {
        return Ok(());
    };
    let is_own = Members::parse(raw.get()).is_ok_and(|mark| mark.find("mode").is_some());
    if !is_own {
        return job.drop(format!("{path}.cache_control"), "has no counterpart here.");
    }
    key("prompt_cache_breakpoint", out);
    out.extend_from_slice(raw.get().as_bytes());
    Ok(())
}
