//! Media parts: inline bytes, and the few URIs that the provider fetches itself.

use crate::chat::message::PartKind;
use crate::chat::{Error, json};
use crate::dialect::codec::refused;
use crate::dialect::media::{self, Inline};

use super::job::Job;

/// Where a part stands, which decides what may ride on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A part of a content.
    Content,
    /// A part of a function's response, which has no resolution of its own.
    Response,
}

/// Writes one part that is not text.
pub(super) fn write(
    job: &mut Job<'_>,
    path: &str,
    kind: &PartKind<'_>,
    place: Place,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    match kind {
        PartKind::Image { url, detail } => image(job, path, url, out)
            .and_then(|()| resolution(job, path, detail.as_deref(), place, out)),
        PartKind::Audio { data, format } => audio(job, path, data, format, out),
        PartKind::File { data, id, name } => match (data, id) {
            (Some(data), _) => file(job, path, data, name.as_deref(), out),
            (None, Some(id)) => uploaded(path, id, out),
            (None, None) => Ok(()),
        },
        PartKind::Other(kind) => {
            let why = format!("of type '{kind}' has no counterpart here.");
            Err(refused(path, &why))
        }
        PartKind::Text(text) | PartKind::Refusal(text) => {
            out.extend_from_slice(b"{\"text\":");
            text.write_quoted(out);
            Ok(())
        }
    }?;
    out.push(b'}');
    Ok(())
}

fn image(job: &Job<'_>, path: &str, url: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    if url.starts_with("data:") {
        let inline = media::data_url(url).ok_or_else(|| unreadable(path))?;
        let seen = if inline.mime == "application/pdf" {
            job.target.caps.pdf
        } else {
            job.target.caps.vision
        };
        able(path, seen)?;
        inline_data(&inline, out);
        return Ok(());
    }
    able(path, job.target.caps.vision)?;
    // Public https URIs are fetched for models from 3.0 on; older ones take the provider's own URIs only.
    let fetched =
        url.starts_with("https://") && job.model.is_third() && !job.target.quirks.inline_images;
    if fetched || is_their_own(url) {
        file_data(url, mime_of(url), out);
        return Ok(());
    }
    let why = "is an image by URL, which this model does not fetch: send it as a data: URL.";
    Err(refused(path, why))
}

/// Files uploaded to the provider, cloud storage, and its own video site.
fn is_their_own(url: &str) -> bool {
    let starts = [
        "https://generativelanguage.googleapis.com/",
        "gs://",
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://youtu.be/",
    ];
    starts.iter().any(|start| url.starts_with(start))
}

fn mime_of(url: &str) -> Option<&'static str> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (_, ending) = url.get(..end)?.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "gif" => Some("image/gif"),
        "heic" => Some("image/heic"),
        "pdf" => Some("application/pdf"),
        "mp4" => Some("video/mp4"),
        _ => None,
    }
}

fn resolution(
    job: &mut Job<'_>,
    path: &str,
    detail: Option<&str>,
    place: Place,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let level = match detail {
        None | Some("auto") => return Ok(()),
        Some("low") => "MEDIA_RESOLUTION_LOW",
        Some("high") => "MEDIA_RESOLUTION_HIGH",
        Some("original") => "MEDIA_RESOLUTION_ULTRA_HIGH",
        Some(_) => {
            let message = "'detail' must be low, high, auto or original.";
            return Err(Error::value(format!("{path}.image_url.detail"), message));
        }
    };
    if !job.model.is_third() || place == Place::Response {
        let name = format!("{path}.image_url.detail");
        return job.drop(name, "has no counterpart for this model.");
    }
    json::member(
        "mediaResolution",
        &format!("{{\"level\":\"{level}\"}}"),
        out,
    );
    Ok(())
}

fn audio(
    job: &Job<'_>,
    path: &str,
    data: &str,
    format: &str,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    able(path, job.target.caps.audio)?;
    let inline = media::inline(data, None).ok_or_else(|| unreadable(path))?;
    let plain = !format.is_empty() && format.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain {
        return Err(unreadable(path));
    }
    let inline = Inline {
        mime: format!("audio/{format}").into(),
        base64: inline.base64,
    };
    inline_data(&inline, out);
    Ok(())
}

fn file(
    job: &Job<'_>,
    path: &str,
    data: &str,
    name: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let inline = media::inline(data, name).ok_or_else(|| unreadable(path))?;
    if inline.mime == "application/pdf" {
        able(path, job.target.caps.pdf)?;
    }
    inline_data(&inline, out);
    Ok(())
}

fn uploaded(path: &str, id: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    if is_their_own(id) {
        file_data(id, None, out);
        return Ok(());
    }
    let why = "was not uploaded to this provider: send the file as 'file_data'.";
    Err(refused(&format!("{path}.file.file_id"), why))
}

/// A part without its closing brace.
fn inline_data(inline: &Inline<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"inlineData\":{\"mimeType\":");
    json::quote(&inline.mime, out);
    out.extend_from_slice(b",\"data\":\"");
    out.extend_from_slice(inline.base64.as_bytes());
    out.extend_from_slice(b"\"}");
}

/// A part without its closing brace.
fn file_data(uri: &str, mime: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"fileData\":{");
    if let Some(mime) = mime {
        json::member("mimeType", &json::quoted(mime), out);
    }
    json::key("fileUri", out);
    json::quote(uri, out);
    out.push(b'}');
}

fn able(path: &str, known: Option<bool>) -> Result<(), Error> {
    if known == Some(false) {
        return Err(refused(path, "is of a kind that this model cannot read."));
    }
    Ok(())
}

fn unreadable(path: &str) -> Error {
    Error::value(
        path,
        format!("The data at '{path}' cannot be read: use base64."),
    )
}
