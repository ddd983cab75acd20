//! Converse's blocks and pieces for the one reader of answers. Streams feed it event by event, whole answers block by
//! block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::chat::json::quoted;
use crate::chat::{Escaped, Event, Sink, event};

use super::super::anthropic::answer::Answer;
use super::super::anthropic::state::Format;
use super::super::anthropic::wire::{Head, Piece, token};
use super::super::codec::{Reply, Stop, Target};
use super::super::tiers::tier as tier_of;
use super::maker::Maker;
use super::wire::{Block, Delta, Reasoning, Told, ToolUse, tokens};

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Reader {
    answer: Answer,
    /// Whose reasoning it is.
    format: Format,
    begun: bool,
    /// Reasoning that only the provider can read, piece by piece.
    redacted: Option<Vec<u8>>,
}

impl Reader {
    /// Nothing read yet of an answer of a target.
    pub(super) fn of(target: &Target<'_>, reply: Reply) -> Self {
        let format = Maker::of(target.model, target.caps).format();
        Self {
            answer: Answer::new(target.model, reply).of(format),
            format,
            begun: false,
            redacted: None,
        }
    }

    /// Whether the answer is complete.
    pub(super) fn is_done(&self) -> bool {
        self.answer.is_done()
    }

    /// Whether a reason for the end was told.
    pub(super) const fn has_ending(&self) -> bool {
        self.answer.has_ending()
    }

    /// The message begins. It has neither id nor model.
    ///
    /// # Errors
    /// Where it begins again after something of it was told (E-17).
    pub(super) fn begin(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.begun = true;
        self.answer.begin(&Head::default(), sink)
    }

    /// As [`Self::begin`], where nothing said so.
    pub(super) fn be_begun(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.begun { Ok(()) } else { self.begin(sink) }
    }

    /// A block begins. Text and reasoning begin with their first piece.
    pub(super) fn start(&mut self, index: u64, block: &Block<'_>, sink: &mut dyn Sink) {
        if let Some(raw) = block.tool_use {
            self.call(index, raw, sink);
        } else if let Some(raw) = block.tool_result.or(block.image) {
            self.answer.open_hidden(index, raw.get());
        }
    }

    fn call(&mut self, index: u64, raw: &RawValue, sink: &mut dyn Sink) {
        let call: ToolUse<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        if token(call.kind).as_str() == "server_tool_use" {
            // The provider ran it itself: not for the client to answer.
            return self.answer.open_hidden(index, raw.get());
        }
        let named = (token(call.id), token(call.name));
        let input = call.input.map(RawValue::get);
        self.answer.open_call(index, named, input, sink);
    }

    /// Something new in a block.
    pub(super) fn add(&mut self, index: u64, delta: &Delta<'_>, sink: &mut dyn Sink) {
        let mut piece = Piece::NONE;
        if let Some(reasoning) = &delta.reasoning_content {
            return self.think(index, reasoning, sink);
        }
        for (name, hidden) in [("content", delta.tool_result), ("image", delta.image)] {
            if let Some(raw) = hidden {
                self.answer.add_hidden(index, name, raw.get());
            }
        }
        if let Some(call) = &delta.tool_use {
            piece.json = token(call.input);
        } else if delta.text.is_some() || delta.citation.is_some() {
            if !self.answer.is_open(index) {
                self.answer.open_text(index);
            }
            piece.text = token(delta.text);
            piece.citation = delta.citation.map(RawValue::get);
        }
        self.answer.add(index, piece, sink);
    }

    fn think(&mut self, index: u64, reasoning: &Reasoning<'_>, sink: &mut dyn Sink) {
        if let Some(raw) = reasoning.redacted_content {
            let bytes = STANDARD.decode(token(Some(raw)).decode().as_bytes());
            let held = self.redacted.get_or_insert_default();
            held.extend(bytes.unwrap_or_default());
            return;
        }
        if !self.answer.is_open(index) {
            self.answer.open_thinking(index);
        }
        let whole = reasoning.whole.as_ref();
        let piece = Piece {
            thinking: token(
                reasoning
                    .text
                    .or_else(|| whole.and_then(|whole| whole.text)),
            ),
            signature: token(
                reasoning
                    .signature
                    .or_else(|| whole.and_then(|whole| whole.signature)),
            ),
            ..Piece::NONE
        };
        self.answer.add(index, piece, sink);
    }

    /// A block ends.
    pub(super) fn stop(&mut self, index: u64, sink: &mut dyn Sink) {
        self.answer.stop_block(index, sink);
        self.release(sink);
    }

    /// Tells reasoning that only its maker can read: Claude's is base64 of what its maker calls `data`, a text; others'
    /// stays base64.
    fn release(&mut self, sink: &mut dyn Sink) {
        let Some(bytes) = self.redacted.take() else {
            return;
        };
        let data = match self.format {
            Format::Claude => quoted(&String::from_utf8_lossy(&bytes)),
            Format::Bedrock => quoted(&STANDARD.encode(&bytes)),
        };
        let data = Escaped::quoted(&data).unwrap_or(Escaped::EMPTY);
        self.answer.redacted(data, sink);
    }

    /// A block that is there as a whole.
    pub(super) fn whole(&mut self, index: u64, raw: &RawValue, sink: &mut dyn Sink) {
        let block: Block<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        if let Some(cited) = &block.citations_content {
            self.answer.open_text(index);
            let texts = cited.content.iter().map(|piece| (piece.text, None));
            let sources = cited.citations.iter().map(|source| (None, Some(*source)));
            for (text, citation) in texts.chain(sources) {
                let piece = Piece {
                    text: token(text),
                    citation: citation.map(RawValue::get),
                    ..Piece::NONE
                };
                self.answer.add(index, piece, sink);
            }
        } else if block.text.is_some() || block.reasoning_content.is_some() {
            let delta = Delta {
                text: block.text,
                reasoning_content: block.reasoning_content,
                ..Delta::default()
            };
            self.add(index, &delta, sink);
        } else if block.tool_use.is_some() || block.tool_result.is_some() || block.image.is_some() {
            self.start(index, &block, sink);
        } else {
            self.answer.open_hidden(index, raw.get());
        }
        self.stop(index, sink);
    }

    /// What comes with the end: its reason, counts, the tier, what a guardrail did.
    ///
    /// # Errors
    /// Where the model wrote what nobody can read, and nothing before it.
    pub(super) fn told(&mut self, told: &Told<'_>, sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(reason) = told.stop_reason.and_then(Escaped::token) {
            let reason = reason.decode();
            if reason.starts_with("malformed_") && !self.answer.has_said() {
                return Err(Stop::Malformed(reason.into_owned()));
            }
            self.answer.end_as(&reason);
        }
        if let Some(tokens) = told.usage.and_then(tokens) {
            sink.event(Event::Usage(event::Usage { tokens, raw: None }));
        }
        let tier = told.service_tier.as_ref();
        let tier = tier.and_then(|told| tier_of(token(told.kind).as_str()));
        let fields = told.additional_model_response_fields.map(RawValue::get);
        for (name, json) in [
            ("service_tier", tier),
            ("trace", told.trace.map(RawValue::get)),
            ("additional_model_response_fields", fields),
        ] {
            if let Some(json) = json.filter(|json| *json != "null") {
                sink.event(Event::Top { name, json });
            }
        }
        Ok(())
    }

    /// Tells everything that waited for the end.
    pub(super) fn close(&mut self, sink: &mut dyn Sink) {
        self.release(sink);
        self.answer.close(sink);
    }
}
