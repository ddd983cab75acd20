//! Content parts as Anthropic's content blocks.

use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::message::{Part, PartKind};
use crate::chat::{Error, Escaped};

use super::super::codec::{Mode, Target};
use super::super::codec::{Report, refused};
use super::super::media::{self, Inline};
use super::super::text::is_blank;

/// What an uploaded file's use needs of the provider.
pub(crate) const FILES_BETA: &str = "files-api-2025-04-14";

/// Image types that the provider takes.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// What bears on the translation of parts.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) target: &'a Target<'a>,
    pub(crate) mode: Mode,
    /// Whether the host is a cloud, which holds no files and fetches no images.
    pub(crate) is_cloud: bool,
    /// Whether a file by id was met.
    pub(crate) files: bool,
}

impl Parts<'_> {
    /// Writes a part as a block up to its closing brace; gives back whether there is a block at all.
    ///
    /// # Errors
    /// Where the provider or the model cannot take the part. `path` names it.
    pub(crate) fn write(
        &mut self,
        part: &Part<'_>,
        path: &str,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                if is_blank(*text) {
                    return Ok(false);
                }
                open_text(*text, "", out);
            }
            PartKind::Image { url, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    let name = format!("{path}.image_url.detail");
                    report.drop(self.mode, name, "has no counterpart here.")?;
                }
                self.image(url, path, out)?;
            }
            PartKind::Audio { .. } => {
                return Err(refused(
                    &format!("{path}.input_audio"),
                    "is not heard by this provider's models.",
                ));
            }
            PartKind::File { data, id, name } => match (data, id) {
                (Some(data), _) => {
                    let inline = media::inline(data, name.as_deref())
                        .ok_or_else(|| unreadable(&format!("{path}.file.file_data")))?;
                    self.inline(&inline, name.as_deref(), path, out)?;
                }
                (None, Some(id)) if id.starts_with("file_") && !self.is_cloud => {
                    self.files = true;
                    comma(out);
                    out.extend_from_slice(b"{\"type\":\"document\",\"source\":{\"type\":\"file\"");
                    member("file_id", &quoted(id), out);
                    out.push(b'}');
                }
                _ => {
                    let why = "was not issued by this provider: send the file's data instead.";
                    return Err(refused(&format!("{path}.file.file_id"), why));
                }
            },
            PartKind::Other(kind) => return native(part, kind, path, out),
        }
        Ok(true)
    }

    fn image(&self, url: &str, path: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        let path = format!("{path}.image_url");
        if url.starts_with("data:") {
            let inline = media::data_url(url).ok_or_else(|| unreadable(&path))?;
            return self.inline(&inline, None, &path, out);
        }
        self.sees(&path)?;
        if self.target.quirks.inline_images || self.is_cloud {
            return Err(refused(&path, "must be sent inline, as a data: URL."));
        }
        comma(out);
        out.extend_from_slice(b"{\"type\":\"image\",\"source\":{\"type\":\"url\"");
        member("url", &quoted(url), out);
        out.push(b'}');
        Ok(())
    }

    /// Inline media by what it is, whatever part it came in (E-93).
    fn inline(
        &self,
        inline: &Inline<'_>,
        name: Option<&str>,
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mime = inline.mime.as_ref();
        let (kind, text) = if IMAGES.contains(&mime) {
            self.sees(path)?;
            ("image", None)
        } else if mime == "application/pdf" {
            if self.target.caps.pdf == Some(false) {
                return Err(refused(path, "is a PDF, which this model does not read."));
            }
            ("document", None)
        } else if mime.starts_with("text/") {
            let bytes = media::bytes(inline).ok_or_else(|| unreadable(path))?;
            (
                "document",
                Some(String::from_utf8_lossy(&bytes).into_owned()),
            )
        } else {
            let why = format!("is {mime}, which this provider does not read.");
            return Err(refused(path, &why));
        };
        comma(out);
        out.push(b'{');
        member("type", &quoted(kind), out);
        key("source", out);
        if let Some(text) = text {
            out.extend_from_slice(b"{\"type\":\"text\",\"media_type\":\"text/plain\"");
            member("data", &quoted(&text), out);
        } else {
            out.extend_from_slice(b"{\"type\":\"base64\"");
            member("media_type", &quoted(mime), out);
            key("data", out);
            Escaped::trusted(&inline.base64).write_quoted(out);
        }
        out.push(b'}');
        if let (Some(name), "document") = (name, kind) {
            member("title", &quoted(name), out);
        }
        Ok(())
    }

    fn sees(&self, path: &str) -> Result<(), Error> {
        if self.target.caps.vision == Some(false) {
            return Err(refused(path, "is an image, which this model does not see."));
        }
        Ok(())
    }
}

/// Writes a text block up to its closing brace, with a fixed prefix before the text.
pub(crate) fn open_text(text: Escaped<'_>, prefix: &str, out: &mut Vec<u8>) {
    comma(out);
    out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(text.as_str().as_bytes());
    out.push(b'"');
}

/// The provider's own blocks pass as they are; their mark is written like everybody's.
fn native(part: &Part<'_>, kind: &str, path: &str, out: &mut Vec<u8>) -> Result<bool, Error> {
    if !["image", "document", "search_result"].contains(&kind) {
        let why = "is no content that this provider knows.";
        return Err(refused(&format!("{path}.type"), why));
    }
    comma(out);
    out.push(b'{');
    for (name, value) in Members::parse(part.raw.get()).unwrap_or_default().0 {
        if name != "cache_control" {
            member(&name, value.get(), out);
        }
    }
    Ok(true)
}

fn unreadable(path: &str) -> Error {
    Error::value(path, format!("'{path}' holds no base64 that can be read."))
}
