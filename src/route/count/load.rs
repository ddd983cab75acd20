//! What a request loads on a model, read once: texts, tools, pictures, sounds, files.

use std::borrow::Cow;

use crate::catalog::Picture;
use crate::chat::json::Escaped;
use crate::chat::message::{Content, Message, Part, PartKind};
use crate::chat::tool::{Tool, ToolKind};
use crate::chat::{Error, Request};

use super::picture;
use super::script::Script;

/// Members beside messages and tools that are read by the model or become part of what it reads.
const READ: [&str; 3] = ["response_format", "prediction", "tool_choice"];

/// Members by which a provider searches.
const SEARCHING: [&str; 2] = ["web_search_options", "search_parameters"];

/// Members by which a provider does what else it can.
const PLUGGING: [&str; 1] = ["plugins"];

/// What the kinds of tools begin with that search and whose searches are told.
const SEARCHER: &str = "web_search";

/// What a prompt consists of.
#[derive(Clone, Debug, Default)]
pub struct Load<'a> {
    /// Texts that the model reads, as they stand in JSON.
    pub(super) texts: Vec<Text<'a>>,
    /// What is said in them, by kinds of bytes.
    pub(super) said: Script,
    /// The schemas among them, by kinds of bytes.
    pub(super) schemas: Script,
    /// Bytes of all members that the model reads, media left out.
    pub(super) bytes: u64,
    /// Of those, bytes of tools and formats, which providers write out in ways of their own.
    pub(super) schema_bytes: u64,
    /// How much compatibility normalisation may add to them.
    pub(super) growth: u64,
    pub(super) messages: u64,
    pub(super) calls: u64,
    pub(super) tools: u64,
    pub(super) pictures: Vec<Picture>,
    /// Bytes of sounds.
    pub(super) sound_bytes: u64,
    /// Bytes of files whose text nobody has read yet.
    pub(super) file_bytes: u64,
    /// Bytes of the texts, as they stand in JSON.
    pub(super) text_bytes: u64,
    /// Whether a message has several texts, of which nobody says how they are joined.
    pub(super) joined: bool,
    /// Why the request itself sets no bound.
    pub(super) unbounded: Option<Unbounded>,
}

/// A text that the model reads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    /// The inside of a string.
    Said(Escaped<'a>),
    /// JSON, which is read as it stands.
    Json(&'a str),
}

impl<'a> Text<'a> {
    /// As it stands in the request.
    pub(super) const fn raw(self) -> &'a str {
        match self {
            Self::Said(text) => text.as_str(),
            Self::Json(json) => json,
        }
    }

    /// A part of it.
    pub(super) fn part(self, from: usize, to: usize) -> Self {
        let part = self.raw().get(from..to).unwrap_or_default();
        match self {
            Self::Said(_) => Self::Said(Escaped::trusted(part)),
            Self::Json(_) => Self::Json(part),
        }
    }

    /// What it says.
    pub(super) fn said(self) -> Cow<'a, str> {
        match self {
            Self::Said(text) => text.decode(),
            Self::Json(json) => Cow::Borrowed(json),
        }
    }
}

/// Why a request's tokens cannot be told from its bytes. The graver is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unbounded {
    /// A file, or a medium that is only named: the model's window is the bound.
    Media,
    /// A tool that the provider runs: what it finds is read again and again, and the window bounds only each reading.
    ServerTool,
}

/// What may be billed beside tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// Nothing that is known.
    #[default]
    Nothing,
    /// Web searches, by their number.
    Searches,
    /// Tools that the provider runs and nobody counts.
    Unknown,
}

impl Beside {
    /// What a request lets its provider bill.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        if asks(request, &PLUGGING) {
            return Self::Unknown;
        }
        let tools = match request.member("tools") {
            Some(_) => request.tools(),
            None => Ok(Vec::new()),
        };
        let Ok(tools) = tools else {
            return Self::Unknown;
        };
        let of_tools = tools.iter().map(|tool| match &tool.kind {
            ToolKind::Server(kind) if kind.starts_with(SEARCHER) => Self::Searches,
            ToolKind::Server(_) => Self::Unknown,
            ToolKind::Function { .. } | ToolKind::Custom { .. } => Self::Nothing,
        });
        let of_tools = of_tools.max().unwrap_or_default();
        let searching = asks(request, &SEARCHING).then_some(Self::Searches);
        of_tools.max(searching.unwrap_or_default())
    }
}

/// Whether a request has any of these members, and not as null.
fn asks(request: &Request, names: &[&str]) -> bool {
    let mut said = names.iter().filter_map(|name| request.member(name));
    said.any(|raw| raw != "null")
}

impl<'a> Load<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// Where messages or tools do not have the shape the API describes.
    pub fn of(request: &'a Request) -> Result<Self, Error> {
        let mut load = Self::default();
        let messages = request.messages()?;
        load.bytes = len(request.member("messages").unwrap_or_default());
        for message in &messages {
            load.message(message);
        }
        let tools = request.tools()?;
        for tool in &tools {
            load.tool(tool);
        }
        for name in READ {
            if let Some(raw) = request.member(name) {
                load.schema(raw);
            }
        }
        if asks(request, &SEARCHING) || asks(request, &PLUGGING) {
            load.open(Unbounded::ServerTool);
        }
        load.growth = growth(request.body());
        Ok(load)
    }

    /// Why the request itself sets no bound, if so.
    #[must_use]
    pub const fn unbounded(&self) -> Option<Unbounded> {
        self.unbounded
    }

    /// Audio tokens at most, for the prices that tell them apart.
    #[must_use]
    pub const fn audio_most(&self) -> u64 {
        self.sound_bytes
    }

    fn message(&mut self, message: &Message<'a>) {
        self.messages += 1;
        let before = self.texts.len();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => self.text(*text),
            Content::Parts(parts) => parts.iter().for_each(|part| self.part(part)),
        }
        for call in &message.calls {
            self.calls += 1;
            self.text(call.arguments);
        }
        for said in [message.reasoning, message.refusal].into_iter().flatten() {
            self.text(said);
        }
        self.joined |= self.texts.len() > before + 1;
    }

    fn part(&mut self, part: &Part<'a>) {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => self.text(*text),
            PartKind::Image { url, detail } => {
                self.media(url);
                self.pictures.push(Picture {
                    size: picture::size(url),
                    low: detail.as_deref() == Some("low"),
                });
            }
            PartKind::Audio { data, format } => {
                let bytes = self.media(data);
                self.sound_bytes = self.sound_bytes.saturating_add(bytes);
                // Other formats can hold minutes of silence in a few bytes.
                if !matches!(format.as_ref(), "wav" | "mp3") {
                    self.open(Unbounded::Media);
                }
            }
            PartKind::File { data, .. } => {
                let bytes = data.as_deref().map_or(0, |data| self.media(data));
                self.file_bytes = self.file_bytes.saturating_add(bytes.max(1));
                self.open(Unbounded::Media);
            }
            PartKind::Other(_) => self.open(Unbounded::Media),
        }
    }

    fn tool(&mut self, tool: &Tool<'a>) {
        self.tools += 1;
        self.schema(tool.raw.get());
        if matches!(tool.kind, ToolKind::Server(_)) {
            self.open(Unbounded::ServerTool);
        }
    }

    fn text(&mut self, text: Escaped<'a>) {
        self.said.add(text.as_str());
        self.text_bytes = self.text_bytes.saturating_add(len(text.as_str()));
        self.texts.push(Text::Said(text));
    }

    fn schema(&mut self, raw: &'a str) {
        self.schemas.add(raw);
        self.texts.push(Text::Json(raw));
        self.schema_bytes = self.schema_bytes.saturating_add(len(raw));
        self.bytes = self.bytes.saturating_add(len(raw));
    }

    /// Takes a medium out of the bytes that are text; gives back how many it has itself.
    fn media(&mut self, base64: &str) -> u64 {
        let length = len(base64);
        self.bytes = self.bytes.saturating_sub(length);
        length.saturating_mul(3).div_ceil(4)
    }

    fn open(&mut self, why: Unbounded) {
        self.unbounded = self.unbounded.max(Some(why));
    }
}

pub(super) fn len(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// How many bytes a tokenizer may add that first writes compatibility characters out (Unicode's form KC): a ligature of
/// Arabic presentation forms becomes up to 33 bytes, a squared word up to 18, one of the rest up to 12.
fn growth(body: &str) -> u64 {
    let bytes = body.as_bytes();
    let after = |lead: u8, grows: fn(u8) -> u64| {
        let follows = memchr::memchr_iter(lead, bytes).filter_map(|at| bytes.get(at + 1));
        follows.map(|byte| grows(*byte)).sum::<u64>()
    };
    let written = after(0xEF, |next| match next {
        0xB7 => 30,
        0xAC..=0xB6 | 0xB8..=0xBB => 6,
        _ => 0,
    });
    let squared = after(
        0xE3,
        |next| if matches!(next, 0x8C..=0x8F) { 15 } else { 0 },
    );
    let rest = after(0xE2, |_| 9).saturating_add(after(0xC2, |_| 4));
    let escaped =
        memchr::memmem::find_iter(bytes, br"\u").filter_map(|at| bytes.get(at + 2..at + 4));
    let escaped = escaped.map(|hex| match hex {
        b"fd" | b"FD" | b"Fd" | b"fD" => 27,
        b"33" => 12,
        _ => 6,
    });
    let sum = escaped.sum::<u64>().saturating_add(written);
    sum.saturating_add(squared).saturating_add(rest)
}
