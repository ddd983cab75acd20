//! One candidate's parts as events of one choice.

use serde_json::value::RawValue;

use crate::chat::json::{self, Escaped};
use crate::chat::{Event, Finish, Sink};
use crate::dialect::codec::Reply;

use super::super::fences::Fences;
use super::calls::Calls;
use super::citations::{self, Spoken};
use super::desk::Desk;
use super::wire::{Blob, Candidate, Few, Part, is_true, text};
use super::{logprobs, signatures};

/// Why a candidate ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// With an answer, or a verdict on it; the provider's word where ours says less.
    Done(Finish, Option<String>),
    /// The model produced what cannot be used. No verdict on its content (E-14).
    Broken(String),
    /// The account is limited.
    Disabled(String),
}

impl Ending {
    fn read(word: &str) -> Self {
        let native = || Some(word.to_owned());
        match word {
            "STOP" | "FINISH_REASON_UNSPECIFIED" => Self::Done(Finish::Stop, None),
            "MAX_TOKENS" => Self::Done(Finish::Length, None),
            "CONTINUATION" => Self::Done(Finish::Length, native()),
            "SAFETY"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "RECITATION"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "MODEL_ARMOR"
            | "ESCALATION"
            | "LANGUAGE"
            | "IMAGE_OTHER" => Self::Done(Finish::ContentFilter, native()),
            "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "MALFORMED_RESPONSE"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE" => Self::Broken(word.to_owned()),
            "PUP_LIMITED_DISABLED" => Self::Disabled(word.to_owned()),
            _ => Self::Done(Finish::Stop, native()),
        }
    }
}

/// One choice being read.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) ending: Option<Ending>,
    /// Whether anything came that a client can use.
    pub(super) has_output: bool,
    calls: Calls,
    text_signature: Option<(String, usize)>,
    details: u32,
    fences: Option<Fences>,
    /// Everything said, escaped, and where its parts begin: citations point into it.
    said: String,
    starts: Vec<usize>,
    grounding: Option<String>,
    citations: Option<String>,
    /// Parts of tools that ran at the provider's.
    blocks: Vec<u8>,
}

impl Choice {
    pub(super) fn new(index: u32, reply: &Reply) -> Self {
        Self {
            index,
            ending: None,
            has_output: false,
            calls: Calls::new(index),
            text_signature: None,
            details: 0,
            fences: reply.strip_fences.then(Fences::default),
            said: String::new(),
            starts: Vec::new(),
            grounding: None,
            citations: None,
            blocks: Vec::new(),
        }
    }

    /// The choice that stands for a refused prompt.
    pub(super) fn blocked(reply: &Reply) -> Self {
        Self {
            ending: Some(Ending::Done(Finish::ContentFilter, None)),
            has_output: true,
            ..Self::new(0, reply)
        }
    }

    /// Takes what is new of the candidate; `first` where this is the answer's first response.
    pub(super) fn take(
        &mut self,
        candidate: &Candidate<'_>,
        first: bool,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) {
        if let Some(json) = candidate.logprobs_result.and_then(logprobs::translate) {
            let choice = self.index;
            sink.event(Event::Logprobs {
                choice,
                json: &json,
            });
        }
        let parts = candidate
            .content
            .as_ref()
            .and_then(|content| content.parts.as_ref());
        let mut images = Vec::new();
        for part in parts.into_iter().flat_map(Few::iter) {
            if first {
                self.starts.push(self.said.len());
            }
            self.part(part, &mut images, desk, sink);
        }
        if !images.is_empty() {
            images.push(b']');
            self.field("images", &images, sink);
        }
        keep(&mut self.grounding, candidate.grounding_metadata);
        keep(&mut self.citations, candidate.citation_metadata);
        let word = text(candidate.finish_reason);
        if !word.is_empty() {
            self.ending = Some(Ending::read(word.as_str()));
        }
    }

    fn part(
        &mut self,
        part: &Part<'_>,
        images: &mut Vec<u8>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) {
        let signature = text(part.thought_signature);
        if let Some(call) = &part.function_call {
            self.has_output |= call.name.is_some();
            self.calls.take(call, signature, desk, sink);
        } else if let Some(blob) = &part.inline_data {
            self.blob(blob, images, sink);
        } else if let Some(raw) = part.text {
            let said = Escaped::token(raw).unwrap_or(Escaped::EMPTY);
            if is_true(part.thought) {
                self.thought(said, sink);
            } else {
                self.text(said, signature, sink);
            }
        } else {
            self.block(part, signature);
        }
    }

    /// Takes words that came as another part's did.
    pub(super) fn add(&mut self, said: Escaped<'_>, is_thought: bool, sink: &mut dyn Sink) {
        if is_thought {
            self.thought(said, sink);
        } else {
            self.text(said, Escaped::EMPTY, sink);
        }
    }

    fn thought(&self, said: Escaped<'_>, sink: &mut dyn Sink) {
        if !said.is_empty() {
            sink.event(Event::Reasoning {
                choice: self.index,
                text: said,
            });
        }
    }

    fn text(&mut self, said: Escaped<'_>, signature: Escaped<'_>, sink: &mut dyn Sink) {
        if !said.is_empty() {
            self.has_output = true;
            self.said.push_str(said.as_str());
            // A signature stays with the last text; more text after it makes it another part's.
            self.text_signature = None;
            match self.fences.take() {
                None => self.say(said, sink),
                Some(mut fences) => {
                    fences.push(said, |clear| self.say(clear, sink));
                    self.fences = Some(fences);
                }
            }
        }
        if !signature.is_empty() {
            let tail = signatures::length(said);
            let item = signatures::text_detail(signature, self.details, tail);
            self.details = self.details.saturating_add(1);
            sink.event(Event::Detail {
                choice: self.index,
                json: &item,
            });
            self.text_signature = Some((signature.as_str().to_owned(), tail));
        }
    }

    fn say(&self, text: Escaped<'_>, sink: &mut dyn Sink) {
        if !text.is_empty() {
            sink.event(Event::Text {
                choice: self.index,
                text,
            });
        }
    }

    fn field(&self, name: &str, json: &[u8], sink: &mut dyn Sink) {
        sink.event(Event::Field {
            choice: self.index,
            name,
            json: std::str::from_utf8(json).unwrap_or("null"),
        });
    }

    /// Media that the model made: images in OpenRouter's way, audio in OpenAI's.
    fn blob(&mut self, blob: &Blob<'_>, images: &mut Vec<u8>, sink: &mut dyn Sink) {
        let (mime, data) = (text(blob.mime_type), text(blob.data));
        self.has_output = true;
        if mime.as_str().starts_with("audio/") {
            let json = format!("{{\"data\":\"{}\"}}", data.as_str());
            return self.field("audio", json.as_bytes(), sink);
        }
        images.push(if images.is_empty() { b'[' } else { b',' });
        images.extend_from_slice(b"{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:");
        images.extend_from_slice(mime.as_str().as_bytes());
        images.extend_from_slice(b";base64,");
        images.extend_from_slice(data.as_str().as_bytes());
        images.extend_from_slice(b"\"}}");
    }

    /// Parts that the client has nothing to do with: kept as they are, told at the end.
    fn block(&mut self, part: &Part<'_>, signature: Escaped<'_>) {
        let table = [
            ("executableCode", part.executable_code),
            ("codeExecutionResult", part.code_execution_result),
            ("toolCall", part.tool_call),
            ("toolResponse", part.tool_response),
        ];
        for (name, raw) in table {
            let Some(raw) = raw else { continue };
            self.blocks
                .push(if self.blocks.is_empty() { b'[' } else { b',' });
            self.blocks.push(b'{');
            json::member(name, raw.get(), &mut self.blocks);
            if !signature.is_empty() {
                json::key("thoughtSignature", &mut self.blocks);
                signature.write_quoted(&mut self.blocks);
            }
            self.blocks.push(b'}');
        }
    }

    /// Sends all that waited for the end, the finish last.
    pub(super) fn end(&mut self, desk: &mut Desk, sink: &mut dyn Sink) {
        self.calls.close(desk, sink);
        if let Some(mut fences) = self.fences.take() {
            fences.finish(|rest| self.say(rest, sink));
        }
        self.annotations(sink);
        if !self.blocks.is_empty() {
            self.blocks.push(b']');
            self.field("provider_blocks", &self.blocks, sink);
        }
        let has_key = !self.calls.ids.is_empty() || desk.reply.answers.is_some();
        let has_state = !self.calls.signed.is_empty() || self.text_signature.is_some();
        if has_key && has_state {
            let state = signatures::state(&self.calls.signed, self.text_signature.as_ref());
            sink.event(Event::Turn {
                calls: &self.calls.ids,
                state: &state,
            });
        }
        self.finish(&desk.reply, sink);
    }

    fn annotations(&self, sink: &mut dyn Sink) {
        if self.grounding.is_none() && self.citations.is_none() {
            return;
        }
        let decode = |text: &str| Escaped::trusted(text).decode().into_owned();
        let starts: Vec<usize> = self
            .starts
            .iter()
            .filter_map(|at| self.said.get(..*at))
            .map(|before| decode(before).len())
            .collect();
        let said = decode(&self.said);
        let spoken = Spoken {
            text: &said,
            starts: &starts,
        };
        let (grounding, citations) = (self.grounding.as_deref(), self.citations.as_deref());
        if let Some(json) = citations::annotations(grounding, citations, spoken) {
            self.field("annotations", json.as_bytes(), sink);
        }
    }

    fn finish(&self, reply: &Reply, sink: &mut dyn Sink) {
        let (reason, native) = match &self.ending {
            Some(Ending::Done(reason, native)) => (*reason, native.as_deref()),
            Some(Ending::Broken(word) | Ending::Disabled(word)) => {
                (Finish::Stop, Some(word.as_str()))
            }
            None => return,
        };
        // The provider has no word for it: calls were made, so tools are wanted (E-13).
        let reason = match reason {
            Finish::Stop if self.calls.ids.is_empty() => Finish::Stop,
            Finish::Stop if reply.legacy_functions => Finish::FunctionCall,
            Finish::Stop => Finish::ToolCalls,
            Finish::Length | Finish::ToolCalls | Finish::ContentFilter | Finish::FunctionCall => {
                reason
            }
        };
        sink.event(Event::Finish {
            choice: self.index,
            reason,
            native,
        });
    }
}

/// Metadata may come before the last event and be empty in it: the last that says something holds (E-88).
fn keep(slot: &mut Option<String>, raw: Option<&RawValue>) {
    if let Some(raw) = raw.map(RawValue::get).filter(|raw| raw.len() > 2) {
        *slot = Some(raw.to_owned());
    }
}
