//! Content parts as Converse's content blocks.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::message::{Part, PartKind};
use crate::chat::{Error, Escaped};

use super::super::anthropic::marks;
use super::super::codec::{Mode, Report, Target, refused};
use super::super::media::{self, Inline};
use super::super::text::is_blank;

/// Media by type and, where bytes do not tell it, by the ending of a name: the member, the format's name.
const FORMATS: [(&str, &str, &str, &str); 32] = [
    ("image/png", "png", "image", "png"),
    ("image/jpeg", "jpg", "image", "jpeg"),
    ("image/jpeg", "jpeg", "image", "jpeg"),
    ("image/gif", "gif", "image", "gif"),
    ("image/webp", "webp", "image", "webp"),
    ("application/pdf", "pdf", "document", "pdf"),
    ("text/csv", "csv", "document", "csv"),
    ("application/msword", "doc", "document", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
        "document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls", "document", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        "document",
        "xlsx",
    ),
    ("text/html", "html", "document", "html"),
    ("text/markdown", "md", "document", "md"),
    ("text/plain", "txt", "document", "txt"),
    ("video/x-matroska", "mkv", "video", "mkv"),
    ("video/quicktime", "mov", "video", "mov"),
    ("video/mp4", "mp4", "video", "mp4"),
    ("video/webm", "webm", "video", "webm"),
    ("video/x-flv", "flv", "video", "flv"),
    ("video/mpeg", "mpeg", "video", "mpeg"),
    ("video/mpeg", "mpg", "video", "mpg"),
    ("video/x-ms-wmv", "wmv", "video", "wmv"),
    ("video/3gpp", "3gp", "video", "three_gp"),
    ("audio/mpeg", "mp3", "audio", "mp3"),
    ("audio/mp3", "mp3", "audio", "mp3"),
    ("audio/wav", "wav", "audio", "wav"),
    ("audio/x-wav", "wav", "audio", "wav"),
    ("audio/flac", "flac", "audio", "flac"),
    ("audio/aac", "aac", "audio", "aac"),
    ("audio/ogg", "ogg", "audio", "ogg"),
    ("audio/opus", "opus", "audio", "opus"),
    ("audio/mp4", "m4a", "audio", "m4a"),
];

/// Blocks of Converse's own that a client may send as parts: `{"type": "guardContent", "guardContent": …}`.
const NATIVE: [&str; 6] = [
    "guardContent",
    "searchResult",
    "document",
    "image",
    "video",
    "json",
];

/// The longest document name the provider takes.
const LONGEST_NAME: usize = 200;

/// Translates parts, and remembers the names that documents have.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) target: &'a Target<'a>,
    mode: Mode,
    names: BTreeSet<String>,
}

/// What a part has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// Nothing: it was empty.
    Nothing,
    /// Text.
    Text,
    /// A document, which needs text beside it.
    Document,
    /// Anything else.
    Other,
}

impl<'a> Parts<'a> {
    /// No document yet.
    pub(super) const fn new(target: &'a Target<'a>, mode: Mode) -> Self {
        Self {
            target,
            mode,
            names: BTreeSet::new(),
        }
    }

    /// Writes a part as a block; gives back what it has become.
    ///
    /// # Errors
    /// Where the provider or the model cannot take the part. `path` names it.
    pub(super) fn write(
        &mut self,
        part: &Part<'_>,
        path: &str,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<Became, Error> {
        match &part.kind {
            PartKind::Text(words) | PartKind::Refusal(words) => {
                if is_blank(*words) {
                    return Ok(Became::Nothing);
                }
                text(*words, "", out);
                Ok(Became::Text)
            }
            PartKind::Image { url, detail } => {
                if detail.as_deref().is_some_and(|detail| detail != "auto") {
                    let name = format!("{path}.image_url.detail");
                    report.drop(self.mode, name, "has no counterpart here.")?;
                }
                self.by_url(url, None, &format!("{path}.image_url"), out)
            }
            PartKind::Audio { data, format } => {
                let path = format!("{path}.input_audio");
                let url = format!("data:audio/{format};base64,{data}");
                self.by_url(&url, None, &path, out)
            }
            PartKind::File { data, name, .. } => {
                let path = format!("{path}.file");
                let Some(data) = data else {
                    let why = "was not issued by this provider: send the file's data instead.";
                    return Err(refused(&format!("{path}.file_id"), why));
                };
                let path = format!("{path}.file_data");
                if data.starts_with("data:") || data.starts_with("s3:") {
                    return self.by_url(data, name.as_deref(), &path, out);
                }
                let inline =
                    media::inline(data, name.as_deref()).ok_or_else(|| unreadable(&path))?;
                self.inline(&inline, name.as_deref(), &path, out)
            }
            PartKind::Other(kind) => self.other(part, kind, path, out),
        }
    }

    /// A `data:` URL, or an object of the account's own storage. Nothing else is fetched here.
    fn by_url(
        &mut self,
        url: &str,
        name: Option<&str>,
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<Became, Error> {
        if url.starts_with("s3://") {
            let found = by_ending(url);
            let Some((kind, format)) = found else {
                return Err(refused(
                    path,
                    "does not end in a format that is known here.",
                ));
            };
            let name = name.or_else(|| url.rsplit('/').next());
            let mut source = b"{\"s3Location\":{\"uri\":".to_vec();
            source.extend_from_slice(quoted(url).as_bytes());
            source.extend_from_slice(b"}}");
            return self.block((kind, format), name, &source, path, out);
        }
        if !url.starts_with("data:") {
            return Err(refused(path, "must be sent inline, as a data: URL."));
        }
        let inline = media::data_url(url).ok_or_else(|| unreadable(path))?;
        self.inline(&inline, name, path, out)
    }

    /// Inline media by what it is, whatever part it came in (E-93).
    fn inline(
        &mut self,
        inline: &Inline<'_>,
        name: Option<&str>,
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<Became, Error> {
        let mime = inline.mime.as_ref();
        let generic = matches!(
            mime,
            "application/octet-stream" | "application/zip" | "text/plain"
        );
        let by_name = name.filter(|_| generic).and_then(by_ending);
        let by_type = FORMATS.iter().find(|(known, ..)| *known == mime);
        let by_type = by_type.map(|(_, _, kind, format)| (*kind, *format));
        // Any other text reads as text.
        let is_text = mime.starts_with("text/") || mime == "application/json";
        let text = is_text.then_some(("document", "txt"));
        let Some(what) = by_name.or(by_type).or(text) else {
            let why = format!("is {mime}, which this provider does not read.");
            return Err(refused(path, &why));
        };
        let mut source = b"{\"bytes\":".to_vec();
        Escaped::trusted(&inline.base64).write_quoted(&mut source);
        source.push(b'}');
        self.block(what, name, &source, path, out)
    }

    fn block(
        &mut self,
        (kind, format): (&str, &str),
        name: Option<&str>,
        source: &[u8],
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<Became, Error> {
        self.takes(kind, format, path)?;
        comma(out);
        out.push(b'{');
        key(kind, out);
        out.push(b'{');
        member("format", &quoted(format), out);
        if kind == "document" {
            let name = self.name(name.unwrap_or_default());
            member("name", &quoted(&name), out);
        }
        key("source", out);
        out.extend_from_slice(source);
        out.extend_from_slice(b"}}");
        Ok(if kind == "document" {
            Became::Document
        } else {
            Became::Other
        })
    }

    fn takes(&self, kind: &str, format: &str, path: &str) -> Result<(), Error> {
        let caps = self.target.caps;
        let refusal = match kind {
            "image" if caps.vision == Some(false) => "is an image, which this model does not see.",
            "audio" if caps.audio == Some(false) => "is audio, which this model does not hear.",
            "document" if format == "pdf" && caps.pdf == Some(false) => {
                "is a PDF, which this model does not read."
            }
            _ => return Ok(()),
        };
        Err(refused(path, refusal))
    }

    /// A document's name in the letters the provider takes, and no name twice (`DocumentBlock` in the service's model).
    fn name(&mut self, given: &str) -> String {
        let stem = given.rsplit_once('.').map_or(given, |(stem, _)| stem);
        let mut name = String::with_capacity(stem.len());
        for c in stem.chars() {
            let c = match c {
                c if c.is_ascii_alphanumeric() || "-()[]".contains(c) => c,
                c if c.is_whitespace() => ' ',
                _ => '-',
            };
            if c != ' ' || !name.ends_with(' ') {
                name.push(c);
            }
        }
        let name = name.trim();
        let base = if name.is_empty() { "document" } else { name };
        let base: String = base.chars().take(LONGEST_NAME).collect();
        let mut fitted = base.clone();
        let mut round = 2_u32;
        while !self.names.insert(fitted.clone()) {
            let suffix = format!(" ({round})");
            let keep = LONGEST_NAME.saturating_sub(suffix.len());
            fitted = base.chars().take(keep).collect::<String>() + &suffix;
            round = round.saturating_add(1);
        }
        fitted
    }

    /// A video by URL, or a block of Converse's own.
    fn other(
        &mut self,
        part: &Part<'_>,
        kind: &str,
        path: &str,
        out: &mut Vec<u8>,
    ) -> Result<Became, Error> {
        let members = Members::parse(part.raw.get()).unwrap_or_default();
        if kind == "video_url" {
            let path = format!("{path}.video_url");
            let inner = members.find("video_url");
            let object = inner.and_then(|raw| Members::parse(raw.get()).ok());
            let url = object.as_ref().and_then(|object| object.text("url"));
            let url = url.or_else(|| members.text("video_url"));
            let url = url.ok_or_else(|| unreadable(&path))?;
            return self.by_url(&url, None, &path, out);
        }
        let own = members.find(kind).filter(|_| NATIVE.contains(&kind));
        let Some(own) = own else {
            let why = "is no content that this provider knows.";
            return Err(refused(&format!("{path}.type"), why));
        };
        comma(out);
        out.push(b'{');
        member(kind, own.get(), out);
        out.push(b'}');
        Ok(if kind == "document" {
            Became::Document
        } else {
            Became::Other
        })
    }
}

/// Writes a text block, with a fixed prefix before the text.
pub(super) fn text(text: Escaped<'_>, prefix: &str, out: &mut Vec<u8>) {
    comma(out);
    out.extend_from_slice(b"{\"text\":\"");
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(text.as_str().as_bytes());
    out.extend_from_slice(b"\"}");
}

/// Writes a cache mark as the block that it is here: it stands after what it marks.
pub(super) fn cache_point(mark: &RawValue, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"cachePoint\":{\"type\":\"default\"");
    let mark = Members::parse(marks::translated(mark)).unwrap_or_default();
    if let Some(ttl) = mark.find("ttl") {
        member("ttl", ttl.get(), out);
    }
    out.extend_from_slice(b"}}");
}

/// The kind and format that a name's ending tells.
fn by_ending(name: &str) -> Option<(&'static str, &'static str)> {
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let found = FORMATS.iter().find(|(_, known, ..)| *known == ending)?;
    Some((found.2, found.3))
}

fn unreadable(path: &str) -> Error {
    Error::value(path, format!("'{path}' holds no base64 that can be read."))
}
