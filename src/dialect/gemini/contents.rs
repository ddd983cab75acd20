//! Messages as `contents` and `systemInstruction`.
//!
//! Order and grouping depend on a message's neighbours alone, never on what comes later, so that the contents of a
//! turn are a prefix of the next turn's. Results of functions stand alone in one content, as many as the calls
//! before it and in their order.

use crate::chat::json::{self, Escaped};
use crate::chat::message::PartKind;
use crate::chat::{Content, Error, Members, Message, Role, ToolCall};
use crate::dialect::codec::refused;

use super::group::Group;
use super::job::Job;
use super::parts::{self, Place};
use super::scribe::{Scribe, Side, said, text_part};
use super::signatures::{self, Kept};
use super::system::{System, marks};
use super::tools::Plan;

/// Writes the array.
pub(super) fn write(
    job: &mut Job<'_>,
    plan: &Plan<'_>,
    messages: &[Message<'_>],
    system: &System<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.push(b'[');
    let mut scribe = Scribe {
        job,
        plan,
        messages,
        out,
        side: None,
        group: None,
    };
    if system.in_contents {
        scribe.enter(Side::User);
        system.parts(scribe.out);
    }
    for (at, message) in messages.iter().enumerate().skip(system.leading) {
        scribe.message(at, message)?;
    }
    scribe.flush()?;
    scribe.last_word()?;
    scribe.leave();
    out.push(b']');
    Ok(())
}

impl<'m> Scribe<'_, '_, '_, 'm> {
    fn message(&mut self, at: usize, message: &'m Message<'m>) -> Result<(), Error> {
        marks(self.job, message)?;
        match message.role {
            Role::System | Role::Developer => self.late_system(at, message),
            Role::User => {
                self.flush()?;
                self.user(at, message)
            }
            Role::Assistant => {
                self.flush()?;
                self.model(at, message)
            }
            Role::Tool | Role::Function => {
                if let Some(found) = self.group.as_mut().and_then(|group| group.slot(message)) {
                    *found = Some(at);
                    return Ok(());
                }
                self.flush()?;
                self.orphan(at, message)
            }
        }
    }

    fn user(&mut self, at: usize, message: &Message<'_>) -> Result<(), Error> {
        self.enter(Side::User);
        let before = self.out.len();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => said(*text, self.out),
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    match &part.kind {
                        PartKind::Text(text) | PartKind::Refusal(text) => said(*text, self.out),
                        other => {
                            let path = format!("messages[{at}].content[{k}]");
                            json::comma(self.out);
                            parts::write(self.job, &path, other, Place::Content, self.out)?;
                        }
                    }
                }
            }
        }
        if self.out.len() == before {
            // A content must have a part, and a part must say something.
            text_part(Escaped::trusted(" "), self.out);
        }
        Ok(())
    }

    fn model(&mut self, at: usize, message: &'m Message<'m>) -> Result<(), Error> {
        if message.members.find("audio").is_some() {
            let path = format!("messages[{at}].audio");
            return Err(refused(&path, "names audio that this provider never had."));
        }
        let kept = signatures::of(self.job, self.messages, at);
        let texts = self.spoken(at, message)?;
        if texts.is_empty() && message.calls.is_empty() && kept.text.is_none() {
            return Ok(());
        }
        self.enter(Side::Model);
        write_texts(&texts, &kept, self.out);
        for (call, signature) in message.calls.iter().zip(&kept.calls) {
            self.call(call, signature.as_deref());
        }
        if !message.calls.is_empty() {
            self.group = Some(Group::new(at, message));
        }
        Ok(())
    }

    /// What an assistant said, its refusal included; media it made goes out at once.
    fn spoken(&mut self, at: usize, message: &'m Message<'m>) -> Result<Vec<Escaped<'m>>, Error> {
        let mut texts = Vec::new();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => texts.push(*text),
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    match &part.kind {
                        PartKind::Text(text) | PartKind::Refusal(text) => texts.push(*text),
                        other => {
                            let path = format!("messages[{at}].content[{k}]");
                            self.enter(Side::Model);
                            json::comma(self.out);
                            parts::write(self.job, &path, other, Place::Content, self.out)?;
                        }
                    }
                }
            }
        }
        texts.extend(message.refusal);
        texts.retain(|text| !text.is_empty());
        Ok(texts)
    }

    fn call(&mut self, call: &ToolCall<'_>, signature: Option<&str>) {
        json::comma(self.out);
        self.out.extend_from_slice(b"{\"functionCall\":{");
        self.identity(call);
        json::key("args", self.out);
        self.arguments(call);
        self.out.push(b'}');
        if let Some(signature) = signature {
            json::key("thoughtSignature", self.out);
            json::quote(signature, self.out);
        }
        self.out.push(b'}');
    }

    /// Arguments as an object: what is none is wrapped in one (E-11, E-30).
    fn arguments(&mut self, call: &ToolCall<'_>) {
        let text = call.arguments.decode();
        let trimmed = text.trim();
        if call.custom {
            self.out.extend_from_slice(b"{\"input\":");
            call.arguments.write_quoted(self.out);
            self.out.push(b'}');
        } else if self.plan.wrapped.iter().any(|name| *name == call.name) && is_json(trimmed) {
            self.value(trimmed);
        } else if trimmed.is_empty() {
            self.out.extend_from_slice(b"{}");
        } else if Members::parse(trimmed).is_ok() {
            json::compact(trimmed, self.out);
        } else if is_json(trimmed) {
            self.value(trimmed);
        } else {
            self.out.extend_from_slice(b"{\"_raw\":");
            call.arguments.write_quoted(self.out);
            self.out.push(b'}');
        }
    }

    fn value(&mut self, json: &str) {
        self.out.extend_from_slice(b"{\"value\":");
        json::compact(json, self.out);
        self.out.push(b'}');
    }

    /// Models that do not go on from their own words are asked to.
    fn last_word(&mut self) -> Result<(), Error> {
        if self.side == Some(Side::Model) && self.job.target.caps.prefill == Some(false) {
            self.job.emulate(
                "messages",
                "ends with the assistant, which this model refuses.",
            )?;
            self.enter(Side::User);
            text_part(Escaped::trusted("Continue."), self.out);
        }
        Ok(())
    }
}

/// Texts of the model, the signature on the part it came with.
fn write_texts(texts: &[Escaped<'_>], kept: &Kept<'_>, out: &mut Vec<u8>) {
    let Some((signature, tail)) = &kept.text else {
        for text in texts {
            text_part(*text, out);
        }
        return;
    };
    let (last, before) = match texts.split_last() {
        Some((last, before)) => (*last, before),
        None => (Escaped::EMPTY, texts),
    };
    for text in before {
        text_part(*text, out);
    }
    let (head, signed) = signatures::split(last, *tail);
    said(head, out);
    json::comma(out);
    out.extend_from_slice(b"{\"text\":");
    signed.write_quoted(out);
    json::key("thoughtSignature", out);
    json::quote(signature, out);
    out.push(b'}');
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}
