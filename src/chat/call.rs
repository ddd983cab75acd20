//! Tool calls in the pieces that a stream of chunks brings them in.

use super::frame::Extras;
use super::json::{self, Escaped};

/// What sort of tool is called, which decides where its text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A function: the text is JSON.
    Function,
    /// A custom tool: the text is free.
    Custom,
}

/// The first piece of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) id: Escaped<'a>,
    pub(super) name: Escaped<'a>,
    pub(super) kind: Kind,
    pub(super) extra: Option<&'a str>,
}

impl Call<'_> {
    /// Writes the `tool_calls` of the chunk that begins the call.
    pub(super) fn begin(&self, index: u32, extras: Extras, out: &mut Vec<u8>) {
        open(index, out);
        out.extend_from_slice(b",\"id\":");
        self.id.write_quoted(out);
        let (kind, text): (&[u8], &[u8]) = match self.kind {
            Kind::Function => (b"function", b"arguments"),
            Kind::Custom => (b"custom", b"input"),
        };
        for part in [b",\"type\":\"", kind, b"\",\"", kind, b"\":{\"name\":"] {
            out.extend_from_slice(part);
        }
        self.name.write_quoted(out);
        for part in [b",\"", text, b"\":\"\"}"] {
            out.extend_from_slice(part);
        }
        if let (Some(extra), Extras::Shown) = (self.extra, extras) {
            out.extend_from_slice(b",\"extra_content\":");
            out.extend_from_slice(extra.as_bytes());
        }
        out.extend_from_slice(b"}]");
    }
}

impl Kind {
    /// The kind, as events say it.
    pub(super) const fn of(custom: bool) -> Self {
        if custom { Self::Custom } else { Self::Function }
    }

    /// Writes the `tool_calls` of a chunk that brings more of a call's text.
    pub(super) fn more(self, index: u32, text: Escaped<'_>, out: &mut Vec<u8>) {
        open(index, out);
        out.extend_from_slice(match self {
            Self::Function => b",\"function\":{\"arguments\":",
            Self::Custom => b",\"custom\":{\"input\":",
        });
        text.write_quoted(out);
        out.extend_from_slice(b"}}]");
    }
}

fn open(index: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"tool_calls\":[{\"index\":");
    json::number(u64::from(index), out);
}
