//! Inline media: `data:` URLs and bare base64, their types told by their first bytes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Inline bytes, base64 in the standard alphabet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline<'a> {
    /// The media type: what the bytes say, else what the URL says.
    pub mime: Cow<'a, str>,
    /// The bytes, base64.
    pub base64: Cow<'a, str>,
}

/// Reads a `data:` URL; `None` where it is none or cannot be read.
#[must_use]
pub fn data_url(url: &str) -> Option<Inline<'_>> {
    let rest = url.strip_prefix("data:")?;
    let (head, data) = rest.split_once(',')?;
    let said = head.split(';').next().unwrap_or_default().trim();
    if head
        .split(';')
        .skip(1)
        .any(|part| part.trim().eq_ignore_ascii_case("base64"))
    {
        let base64 = standard_base64(data)?;
        return Some(Inline {
            mime: mime(&base64, said),
            base64,
        });
    }
    let base64 = Cow::Owned(STANDARD.encode(percent_decode(data)));
    Some(Inline {
        mime: mime(&base64, said),
        base64,
    })
}

/// Reads a `data:` URL or bare base64 whose type the bytes or the file's name tell.
#[must_use]
pub fn inline<'a>(data: &'a str, name: Option<&str>) -> Option<Inline<'a>> {
    if data.starts_with("data:") {
        return data_url(data);
    }
    let base64 = standard_base64(data)?;
    let said = match name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending)
    {
        Some("pdf") => "application/pdf",
        Some("txt" | "md" | "csv" | "log") => "text/plain",
        _ => "application/octet-stream",
    };
    Some(Inline {
        mime: mime(&base64, said),
        base64,
    })
}

/// The bytes of inline media.
#[must_use]
pub fn bytes(inline: &Inline<'_>) -> Option<Vec<u8>> {
    STANDARD.decode(inline.base64.as_bytes()).ok()
}

/// Base64 in the standard alphabet with its padding; borrowed where it is so already.
fn standard_base64(data: &str) -> Option<Cow<'_, str>> {
    let standard = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if data.len().is_multiple_of(4) && data.bytes().all(standard) {
        return Some(Cow::Borrowed(data));
    }
    let plain: String = data
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && *c != '=')
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    let bytes = URL_SAFE_NO_PAD.decode(plain.as_bytes()).ok()?;
    Some(Cow::Owned(STANDARD.encode(bytes)))
}

/// What the bytes say they are, else what was said: clients mislabel, and providers refuse a mismatch.
fn mime<'a>(base64: &str, said: &'a str) -> Cow<'a, str> {
    let known = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi", "application/pdf"),
    ];
    if let Some((_, mime)) = known
        .into_iter()
        .find(|(start, _)| base64.starts_with(start))
    {
        return Cow::Borrowed(mime);
    }
    // RIFF….WEBP and RIFF….WAVE differ in bytes 8 to 11, which are base64 digits 10 to 15.
    if base64.starts_with("UklGR") {
        match base64.get(10..16) {
            Some(kind) if kind.ends_with("XRUJQ") || kind.contains("V0VCU") => {
                return Cow::Borrowed("image/webp");
            }
            Some(kind) if kind.contains("XQVZF") || kind.contains("V0FWR") => {
                return Cow::Borrowed("audio/wav");
            }
            _ => {}
        }
    }
    if said.is_empty() {
        Cow::Borrowed("application/octet-stream")
    } else {
        Cow::Borrowed(said)
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high.saturating_mul(16).saturating_add(low)));
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_bytes_not_by_labels() {
        let table = [
            ("data:image/jpeg;base64,iVBORw0KGgo=", "image/png"),
            ("data:;base64,/9j/4AAQ", "image/jpeg"),
            ("data:image/png;base64,JVBERi0xLjQK", "application/pdf"),
            ("data:text/plain;charset=utf-8,hi%20there", "text/plain"),
            (
                "data:image/png;base64,UklGRiQAAABXRUJQVlA4IA==",
                "image/webp",
            ),
            (
                "data:audio/mpeg;base64,UklGRiQAAABXQVZFZm10IA==",
                "audio/wav",
            ),
        ];
        for (url, mime) in table {
            assert_eq!(data_url(url).unwrap().mime, mime, "{url}");
        }
    }

    #[test]
    fn odd_base64_is_made_standard() {
        assert_eq!(
            data_url("data:image/png;base64,iVBO\nRw0K Ggo")
                .unwrap()
                .base64,
            "iVBORw0KGgo="
        );
        assert_eq!(inline("_-8", None).unwrap().base64, "/+8=");
        assert_eq!(
            bytes(&data_url("data:text/plain,a%2Cb").unwrap()).unwrap(),
            b"a,b"
        );
        assert_eq!(data_url("https://x"), None);
        assert_eq!(data_url("data:image/png;base64,!!!"), None);
    }
}
