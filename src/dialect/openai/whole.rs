//! An answer that is one JSON document: handed on as it is but for what must be mended.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{self, Members, elements, whole_number};
use crate::chat::{Escaped, Event, Sink};

use super::super::codec::{Decode, Reply, Stop};
use super::super::ids;
use super::super::quirks::Quirks;
use super::super::{complaint, tiers::tier};
use super::answer::{Answer, error_of};
use super::calls::arguments;
use super::choice::{PartOf, part_of, thought};
use super::edits::Edits;
use super::pieces::{Chunk, Delta, said, words};
use super::{right, usage};

/// The longest document that is read.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// Decodes an answer that comes at once.
#[derive(Debug)]
pub(super) struct Whole {
    body: Vec<u8>,
    answer: Answer,
    done: bool,
}

impl Whole {
    /// A decoder at the start of an answer.
    pub(super) fn new(quirks: &Quirks, reply: Reply) -> Self {
        Self {
            body: Vec::new(),
            answer: Answer::new(quirks, reply),
            done: false,
        }
    }
}

impl Decode for Whole {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        gather(&mut self.body, bytes)
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if !self.done {
            document(&self.body, &mut self.answer, sink)?;
            self.done = true;
        }
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        0
    }
}

/// Gathers the bytes of a document.
pub(super) fn gather(body: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Stop> {
    if body.len().saturating_add(bytes.len()) > MAX_DOCUMENT {
        return Err(Stop::Malformed("a document of more than 64 MiB".to_owned()));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

/// Reads a whole document.
pub(super) fn document(body: &[u8], answer: &mut Answer, sink: &mut dyn Sink) -> Result<(), Stop> {
    let malformed = |what: &str| Err(Stop::Malformed(what.to_owned()));
    let Ok(text) = std::str::from_utf8(body) else {
        return malformed("bytes that are not UTF-8");
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    let chunk: Chunk<'_> = match serde_json::from_str(text) {
        Ok(chunk) => chunk,
        Err(error) => return Err(unread(text, &error)),
    };
    if let Some(failure) = error_of(text, &chunk) {
        return Err(Stop::Failed(failure));
    }
    if chunk
        .choices
        .as_ref()
        .is_none_or(super::pieces::Few::is_empty)
    {
        return malformed("a JSON object without choices");
    }
    if can_stay(&chunk, answer) {
        let counted = Answer::usage_of(&chunk);
        if let Some(counted) = &counted {
            sink.event(Event::Usage(counted.usage()));
        }
        answer.take_said(&chunk, true, &mut Quiet(sink))?;
        let mended = if right::is_right(&chunk, counted.as_ref(), answer) {
            Some(Cow::Borrowed(text))
        } else {
            mend(text, counted.as_ref(), answer)
        };
        if let Some(mended) = mended {
            sink.event(Event::Raw(&mended));
            answer.close(&mut Quiet(sink));
            return Ok(());
        }
        // Something odd that no small change mends: told piece by piece.
        answer.restart();
    }
    answer.take(&chunk, true, sink)?;
    answer.close(sink);
    Ok(())
}

/// What a document is that is no JSON object.
fn unread(text: &str, error: &serde_json::Error) -> Stop {
    let what = match text.bytes().next() {
        None => "an empty body",
        Some(b'<') => "an HTML page",
        Some(b'[') => {
            return complaint::within(text)
                .map_or_else(|| Stop::Malformed("a JSON array".to_owned()), Stop::Failed);
        }
        Some(b'{') if error.is_eof() => return Stop::Truncated,
        Some(_) => "text that is not JSON",
    };
    Stop::Malformed(what.to_owned())
}

/// Whether a document may be handed on: the client wants one, it says who answers, and nothing in it is packed.
fn can_stay(chunk: &Chunk<'_>, answer: &Answer) -> bool {
    let created = chunk.created.and_then(|raw| whole_number(raw.get()));
    !answer.reply.stream
        && !answer.reply.strip_fences
        && answer.reply.custom_tools.is_empty()
        && !answer.reads_tags()
        && words(chunk.id).is_some()
        && words(chunk.model).is_some()
        && created.is_some_and(|created| created > 0)
}

/// Passes on what the meter and the memory need beside the raw document.
struct Quiet<'s>(&'s mut dyn Sink);

impl Sink for Quiet<'_> {
    fn event(&mut self, event: Event<'_>) {
        if matches!(
            event,
            Event::Usage(_) | Event::Finish { .. } | Event::Turn { .. }
        ) {
            self.0.event(event);
        }
    }
}

/// The document with what must be mended; `None` where that takes more than small changes.
fn mend<'t>(
    text: &'t str,
    counted: Option<&usage::Counted<'_>>,
    answer: &Answer,
) -> Option<Cow<'t, str>> {
    let members = Members::parse(text).ok()?;
    let mut edits = Edits::default();
    if let (Some(usage), Some(counted)) = (members.find("usage"), counted)
        && counted.is_mended()
    {
        edits.replace(text, usage, counted.json.clone().into_owned());
    }
    if members.text("object").as_deref() != Some("chat.completion") {
        let raw = members.find("object")?;
        edits.replace(text, raw, "\"chat.completion\"");
    }
    if let Some(raw) = members.find("service_tier") {
        match Escaped::token(raw).and_then(|word| tier(word.as_str())) {
            Some(ours) if ours == raw.get() => {}
            Some(ours) => edits.replace(text, raw, ours),
            None => edits.cut(text, "service_tier", raw)?,
        }
    }
    for raw in elements(members.find("choices")?)? {
        mend_choice(text, raw, answer, &mut edits)?;
    }
    if edits.is_empty() {
        return Some(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len().saturating_add(64));
    edits.apply(text, &mut out);
    Some(Cow::Owned(out))
}

fn mend_choice(text: &str, raw: &RawValue, answer: &Answer, edits: &mut Edits) -> Option<()> {
    let members = Members::parse(raw.get()).ok()?;
    let index = members
        .count("index")
        .and_then(|index| u32::try_from(index).ok());
    let state = answer
        .choices
        .iter()
        .find(|choice| choice.index == index.unwrap_or_default())?;
    if index.is_none() {
        edits.within(text, raw, "\"index\":0,");
    }
    let reason = format!("\"{}\"", state.reason().as_str());
    let finish = member(&members, "finish_reason");
    match finish {
        Some(finish) if finish.get() == reason => {}
        Some(finish) => edits.replace(text, finish, reason),
        None => edits.within(text, raw, format!("\"finish_reason\":{reason},")),
    }
    let message = members.find("message")?;
    let read: Delta<'_> = serde_json::from_str(message.get()).ok()?;
    mend_message(text, message, &read, edits)?;
    let inner = Members::parse(message.get()).ok()?;
    if let Some(raw) = member(&inner, "tool_calls") {
        mend_calls(text, raw, (answer, state.index), edits)?;
    }
    Some(())
}

/// A member, null or not.
fn member<'a>(members: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    members
        .0
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| *value)
}

fn mend_message(text: &str, raw: &RawValue, read: &Delta<'_>, edits: &mut Edits) -> Option<()> {
    if read.role.is_none() {
        edits.within(text, raw, "\"role\":\"assistant\",");
    }
    let mut reasoning = thought(read);
    match read.content {
        None => edits.within(text, raw, "\"content\":null,"),
        Some(content) if content.get().starts_with('[') => {
            let (answer, thoughts) = joined(content)?;
            edits.replace(text, content, format!("\"{answer}\""));
            reasoning =
                reasoning.or_else(|| (!thoughts.is_empty()).then_some(Cow::Owned(thoughts)));
        }
        Some(_) => {}
    }
    // Clients read `reasoning_content`; the provider's own name for it stays beside it.
    if let Some(reasoning) = reasoning {
        match read.reasoning_content {
            Some(raw) if words(Some(raw)).is_some() => {}
            Some(raw) => edits.replace(text, raw, format!("\"{reasoning}\"")),
            None => edits.within(text, raw, format!("\"reasoning_content\":\"{reasoning}\",")),
        }
    }
    if let Some(call) = said(read.function_call) {
        let inner = Members::parse(call.get()).unwrap_or_default();
        if words(inner.find("name")).is_none() && words(inner.find("arguments")).is_none() {
            edits.replace(text, call, "null");
        }
    }
    Some(())
}

/// The texts and the thoughts of a content of parts; `None` where there are others.
fn joined(content: &RawValue) -> Option<(String, String)> {
    let (mut answer, mut thoughts) = (String::new(), String::new());
    for part in elements(content)? {
        match part_of(part) {
            PartOf::Text(text) => answer.push_str(text.as_str()),
            PartOf::Thought(text) => thoughts.push_str(&text),
            PartOf::Other => return None,
        }
    }
    Some((answer, thoughts))
}

fn mend_calls(
    text: &str,
    raw: &RawValue,
    (answer, choice): (&Answer, u32),
    edits: &mut Edits,
) -> Option<()> {
    let list = if raw.get() == "null" {
        Vec::new()
    } else {
        elements(raw)?
    };
    if list.is_empty() {
        return edits.cut(text, "tool_calls", raw);
    }
    let first = answer.first.as_ref().map_or("", |first| first.id.as_str());
    for (at, raw) in list.into_iter().enumerate() {
        let call = Members::parse(raw.get()).ok()?;
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        let id = || json::quoted(&ids::made_call_id(first, choice, index));
        match member(&call, "id") {
            Some(raw) if words(Some(raw)).is_some() => {}
            Some(raw) => edits.replace(text, raw, id()),
            None => edits.within(text, raw, format!("\"id\":{},", id())),
        }
        mend_function(text, raw, &call, edits)?;
    }
    Some(())
}

fn mend_function(text: &str, raw: &RawValue, call: &Members<'_>, edits: &mut Edits) -> Option<()> {
    let Some(function) = call.find("function").map(|raw| Members::parse(raw.get())) else {
        return Some(());
    };
    let function = function.ok()?;
    match member(call, "type") {
        Some(kind) if words(Some(kind)).is_some() => {}
        Some(kind) => edits.replace(text, kind, "\"function\""),
        None => edits.within(text, raw, "\"type\":\"function\","),
    }
    if let Some(custom) = member(call, "custom") {
        edits.cut(text, "custom", custom)?;
    }
    let given = member(&function, "arguments")?;
    let mended = arguments(Some(given));
    if mended.is_empty() {
        edits.replace(text, given, "\"{}\"");
    } else if Escaped::token(given).is_none() {
        edits.replace(text, given, format!("\"{mended}\""));
    }
    Some(())
}
