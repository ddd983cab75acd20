//! Content parts as Cohere's: text, images for models that see, and its own documents in tool results.

use crate::chat::Error;
use crate::chat::json::{comma, member, quoted};
use crate::chat::message::{Part, PartKind};

use super::super::codec::{Mode, Report, Target, refused};

/// Where a part stands, which decides what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a user's message.
    User,
    /// In a tool's result.
    Result,
    /// In a system message or an assistant's.
    Words,
}

/// What bears on the translation of parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) mode: Mode,
    pub(super) place: Place,
}

impl Parts<'_> {
    /// Writes a part; empty text is left out, as it is refused. `path` names the part.
    ///
    /// # Errors
    /// Where the provider or the model cannot take it.
    pub(super) fn write(
        &self,
        part: &Part<'_>,
        path: &str,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                if !text.is_empty() {
                    comma(out);
                    out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
                    text.write_quoted(out);
                    out.push(b'}');
                }
                Ok(())
            }
            PartKind::Image { url, detail } if self.place == Place::User => {
                self.image(url, detail.as_deref(), path, report, out)
            }
            PartKind::Other(kind) if self.place == Place::Result && kind == "document" => {
                comma(out);
                out.extend_from_slice(part.raw.get().as_bytes());
                Ok(())
            }
            PartKind::Image { .. } => Err(refused(path, "must be text here.")),
            PartKind::Audio { .. } => {
                let why = "is not heard by this provider's models.";
                Err(refused(&format!("{path}.input_audio"), why))
            }
            PartKind::File { .. } => {
                let why = "is not read by this provider: send the text itself, or 'documents'.";
                Err(refused(&format!("{path}.file"), why))
            }
            PartKind::Other(_) => {
                let why = "is no content that this provider knows.";
                Err(refused(&format!("{path}.type"), why))
            }
        }
    }

    fn image(
        &self,
        url: &str,
        detail: Option<&str>,
        path: &str,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let path = format!("{path}.image_url");
        if self.target.caps.vision == Some(false) {
            return Err(refused(
                &path,
                "is an image, which this model does not see.",
            ));
        }
        comma(out);
        out.extend_from_slice(b"{\"type\":\"image_url\",\"image_url\":{");
        member("url", &quoted(url), out);
        match detail {
            None => {}
            Some(known @ ("auto" | "low" | "high")) => member("detail", &quoted(known), out),
            Some(_) => {
                let name = format!("{path}.detail");
                report.clamp(self.mode, name, "is auto, low or high here.")?;
                member("detail", "\"high\"", out);
            }
        }
        out.extend_from_slice(b"}}");
        Ok(())
    }
}
