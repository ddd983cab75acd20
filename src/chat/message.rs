//! Messages of a request, borrowed from its bytes: roles, contents, parts, tool calls.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::Error;
use super::json::{Escaped, Members, elements};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the operator.
    System,
    /// The newer name of the same.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of one tool call.
    Tool,
    /// The result of a deprecated function call.
    Function,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content<'a>,
    /// The speaker's or function's name.
    pub name: Option<Cow<'a, str>>,
    /// Calls that the assistant made, the deprecated `function_call` included (its id is empty).
    pub calls: Vec<ToolCall<'a>>,
    /// Which call a tool message answers.
    pub call_id: Option<Cow<'a, str>>,
    /// The assistant's refusal.
    pub refusal: Option<Escaped<'a>>,
    /// Reasoning text the client kept (`reasoning_content`, else `reasoning`).
    pub reasoning: Option<Escaped<'a>>,
    /// `reasoning_details` (or `LiteLLM`'s `thinking_blocks`) the client kept: raw items in order.
    pub details: Vec<&'a RawValue>,
    /// A prompt-cache mark on the message: `cache_control` or `prompt_cache_breakpoint`, raw.
    pub cache: Option<&'a RawValue>,
    /// Every member, raw.
    pub members: Members<'a>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'a> {
    /// Nothing: absent or null.
    Absent,
    /// One text, as it stands on the wire.
    Text(Escaped<'a>),
    /// Parts in order.
    Parts(Vec<Part<'a>>),
}

/// One part of a content.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it is.
    pub kind: PartKind<'a>,
    /// A prompt-cache mark on it, raw.
    pub cache: Option<&'a RawValue>,
    /// The part itself, raw.
    pub raw: &'a RawValue,
}

impl PartialEq for Part<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

/// What a part is.
#[derive(Clone, Debug)]
pub enum PartKind<'a> {
    /// Text.
    Text(Escaped<'a>),
    /// The words of a refusal.
    Refusal(Escaped<'a>),
    /// An image by `https:` or `data:` URL.
    Image {
        /// The URL.
        url: Cow<'a, str>,
        /// `low`, `high`, `auto`, `original`.
        detail: Option<Cow<'a, str>>,
    },
    /// Audio, base64.
    Audio {
        /// The bytes, base64.
        data: Cow<'a, str>,
        /// `wav`, `mp3`, …
        format: Cow<'a, str>,
    },
    /// A file, inline (a `data:` URL or bare base64) or by id.
    File {
        /// Inline content.
        data: Option<Cow<'a, str>>,
        /// An uploaded file's id.
        id: Option<Cow<'a, str>>,
        /// The name.
        name: Option<Cow<'a, str>>,
    },
    /// Anything else, by its `type`.
    Other(Cow<'a, str>),
}

/// One call in an assistant's message.
#[derive(Clone, Debug)]
pub struct ToolCall<'a> {
    /// Its id; empty where the client sent none.
    pub id: Cow<'a, str>,
    /// Whether it is a call of a custom (free text) tool.
    pub custom: bool,
    /// The tool's name.
    pub name: Cow<'a, str>,
    /// The arguments as the JSON string holds them, or a custom tool's input.
    pub arguments: Escaped<'a>,
    /// Every member, raw.
    pub members: Members<'a>,
}

/// Reads the `messages` member.
///
/// # Errors
/// Where a message does not have the shape the API describes; the field is named by its path.
pub fn read(raw: &str) -> Result<Vec<Message<'_>>, Error> {
    // In one pass, where every element is an object; otherwise element by element, to name the one that is not.
    if let Ok(list) = serde_json::from_str::<Vec<Members<'_>>>(raw) {
        let each = list.into_iter().enumerate();
        return each.map(|(at, members)| of(at, members)).collect();
    }
    let list: Vec<&RawValue> = serde_json::from_str(raw)
        .map_err(|_| Error::value("messages", "'messages' must be an array."))?;
    list.into_iter()
        .enumerate()
        .map(|(at, raw)| one(at, raw))
        .collect()
}

fn one(at: usize, raw: &RawValue) -> Result<Message<'_>, Error> {
    let path = || format!("messages[{at}]");
    let members = Members::parse(raw.get())
        .map_err(|_| Error::value(path(), format!("'{}' must be an object.", path())))?;
    of(at, members)
}

fn of(at: usize, members: Members<'_>) -> Result<Message<'_>, Error> {
    let role = role(at, members.text("role").as_deref())?;
    let reasoning = members
        .find("reasoning_content")
        .or_else(|| members.find("reasoning"));
    let details = members
        .find("reasoning_details")
        .or_else(|| members.find("thinking_blocks"));
    Ok(Message {
        role,
        content: content(at, members.find("content"))?,
        name: members.text("name"),
        calls: calls(at, &members)?,
        call_id: members.text("tool_call_id"),
        refusal: members.find("refusal").and_then(Escaped::token),
        reasoning: reasoning.and_then(Escaped::token),
        details: details.and_then(elements).unwrap_or_default(),
        cache: cache_mark(&members),
        members,
    })
}

fn role(at: usize, name: Option<&str>) -> Result<Role, Error> {
    match name {
        Some("system") => Ok(Role::System),
        Some("developer") => Ok(Role::Developer),
        Some("user") => Ok(Role::User),
        Some("assistant") => Ok(Role::Assistant),
        Some("tool") => Ok(Role::Tool),
        Some("function") => Ok(Role::Function),
        other => {
            let said = other.map_or_else(
                || "is missing".to_owned(),
                |name| format!("'{name}' is unknown"),
            );
            let message =
                format!("The role {said}: use system, developer, user, assistant or tool.");
            Err(Error::value(format!("messages[{at}].role"), message))
        }
    }
}

fn content(at: usize, raw: Option<&RawValue>) -> Result<Content<'_>, Error> {
    let Some(raw) = raw else {
        return Ok(Content::Absent);
    };
    if let Some(text) = Escaped::token(raw) {
        return Ok(Content::Text(text));
    }
    let path = format!("messages[{at}].content");
    let Some(list) = elements(raw) else {
        return Err(Error::value(
            path,
            "Content must be a string, an array of parts, or null.",
        ));
    };
    let parts = list
        .into_iter()
        .enumerate()
        .map(|(k, raw)| part(&format!("{path}[{k}]"), raw));
    parts.collect::<Result<_, _>>().map(Content::Parts)
}

fn part<'a>(path: &str, raw: &'a RawValue) -> Result<Part<'a>, Error> {
    let shape = || Error::value(path, "A content part must be an object with a 'type'.");
    if let Some(text) = Escaped::token(raw) {
        return Ok(Part {
            kind: PartKind::Text(text),
            cache: None,
            raw,
        });
    }
    let members = Members::parse(raw.get()).map_err(|_| shape())?;
    let kind = members.text("type").ok_or_else(shape)?;
    let kind = match kind.as_ref() {
        "text" | "input_text" | "output_text" => PartKind::Text(inside(path, &members, "text")?),
        "refusal" => PartKind::Refusal(inside(path, &members, "refusal")?),
        "image_url" | "input_image" => image(path, &members)?,
        "input_audio" => audio(path, &members)?,
        "file" | "input_file" => file(path, &members)?,
        _ => PartKind::Other(kind),
    };
    Ok(Part {
        kind,
        cache: cache_mark(&members),
        raw,
    })
}

fn inside<'a>(path: &str, members: &Members<'a>, name: &str) -> Result<Escaped<'a>, Error> {
    let token = members.find(name).and_then(Escaped::token);
    token.ok_or_else(|| {
        Error::value(
            format!("{path}.{name}"),
            format!("'{name}' must be a string."),
        )
    })
}

fn image<'a>(path: &str, members: &Members<'a>) -> Result<PartKind<'a>, Error> {
    let missing = || Error::value(format!("{path}.image_url.url"), "An image needs a 'url'.");
    let raw = members.find("image_url").ok_or_else(missing)?;
    if let Some(url) = Escaped::token(raw) {
        return Ok(PartKind::Image {
            url: url.decode(),
            detail: members.text("detail"),
        });
    }
    let inner = Members::parse(raw.get()).map_err(|_| missing())?;
    Ok(PartKind::Image {
        url: inner.text("url").ok_or_else(missing)?,
        detail: inner.text("detail"),
    })
}

fn audio<'a>(path: &str, members: &Members<'a>) -> Result<PartKind<'a>, Error> {
    let missing = || {
        Error::value(
            format!("{path}.input_audio"),
            "Audio needs 'data' (base64) and 'format'.",
        )
    };
    let inner = members
        .find("input_audio")
        .map(|raw| Members::parse(raw.get()));
    let inner = inner.and_then(Result::ok).ok_or_else(missing)?;
    let format = inner.text("format").ok_or_else(missing)?;
    Ok(PartKind::Audio {
        data: inner.text("data").ok_or_else(missing)?,
        format,
    })
}

fn file<'a>(path: &str, members: &Members<'a>) -> Result<PartKind<'a>, Error> {
    let inner = members
        .find("file")
        .map(|raw| Members::parse(raw.get()))
        .and_then(Result::ok);
    let inner = inner.unwrap_or_else(|| members.clone());
    let (data, id) = (inner.text("file_data"), inner.text("file_id"));
    if data.is_none() && id.is_none() {
        return Err(Error::value(
            format!("{path}.file"),
            "A file needs 'file_data' or 'file_id'.",
        ));
    }
    Ok(PartKind::File {
        data,
        id,
        name: inner.text("filename"),
    })
}

fn calls<'a>(at: usize, members: &Members<'a>) -> Result<Vec<ToolCall<'a>>, Error> {
    let mut calls = Vec::new();
    if let Some(raw) = members.find("tool_calls") {
        let path = format!("messages[{at}].tool_calls");
        let list =
            elements(raw).ok_or_else(|| Error::value(&path, "'tool_calls' must be an array."))?;
        for (k, raw) in list.into_iter().enumerate() {
            calls.push(call(&format!("{path}[{k}]"), raw)?);
        }
    }
    if let Some(raw) = members.find("function_call") {
        let path = format!("messages[{at}].function_call");
        let function =
            Members::parse(raw.get()).map_err(|_| Error::value(&path, "It must be an object."))?;
        calls.push(named(
            &path,
            Cow::Borrowed(""),
            &function,
            Members::default(),
        )?);
    }
    Ok(calls)
}

fn call<'a>(path: &str, raw: &'a RawValue) -> Result<ToolCall<'a>, Error> {
    let shape = || {
        Error::value(
            path,
            "A tool call needs 'id', 'type' and 'function' with 'name' and 'arguments'.",
        )
    };
    let members = Members::parse(raw.get()).map_err(|_| shape())?;
    let id = members.text("id").unwrap_or_default();
    if let Some(custom) = members
        .find("custom")
        .filter(|_| members.find("function").is_none())
    {
        let custom = Members::parse(custom.get()).map_err(|_| shape())?;
        let name = custom.text("name").ok_or_else(shape)?;
        let arguments = custom
            .find("input")
            .and_then(Escaped::token)
            .unwrap_or(Escaped::EMPTY);
        return Ok(ToolCall {
            id,
            custom: true,
            name,
            arguments,
            members,
        });
    }
    let function = members.find("function").ok_or_else(shape)?;
    let function = Members::parse(function.get()).map_err(|_| shape())?;
    named(path, id, &function, members)
}

fn named<'a>(
    path: &str,
    id: Cow<'a, str>,
    function: &Members<'a>,
    members: Members<'a>,
) -> Result<ToolCall<'a>, Error> {
    let missing = || {
        Error::value(
            format!("{path}.function.name"),
            "A tool call needs a function name.",
        )
    };
    let name = function.text("name").ok_or_else(missing)?;
    let arguments = function
        .find("arguments")
        .and_then(Escaped::token)
        .unwrap_or(Escaped::EMPTY);
    Ok(ToolCall {
        id,
        custom: false,
        name,
        arguments,
        members,
    })
}

fn cache_mark<'a>(members: &Members<'a>) -> Option<&'a RawValue> {
    members
        .find("cache_control")
        .or_else(|| members.find("prompt_cache_breakpoint"))
}

#[cfg(test)]
mod tests;
