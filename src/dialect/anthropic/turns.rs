//! The provider's strict alternation of turns, and the calls that a turn must answer.

use std::collections::BTreeMap;

use crate::chat::json::comma;

/// How a format writes what turns need by themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    /// Text where the format needs some and the client has none.
    pub(crate) filler: &'static [u8],
    /// An id of the client's in letters that the format takes.
    pub(crate) id: fn(&str) -> String,
    /// Writes the result of a call, by the format's id, that has none.
    pub(crate) lost: fn(&str, &mut Vec<u8>),
}

/// Writes messages so that user and assistant alternate, each turn's blocks gathered.
#[derive(Debug)]
pub(crate) struct Turns {
    blocks: &'static Blocks,
    out: Vec<u8>,
    /// How much of the body precedes the messages.
    start: usize,
    assistant: Vec<u8>,
    results: Vec<u8>,
    said: Vec<u8>,
    operator: Vec<u8>,
    /// Calls of the last assistant turn, in order.
    pending: Vec<Pending>,
    /// How often each id was used, so that no two calls share one.
    used: BTreeMap<String, u32>,
}

/// A call that waits for its result.
#[derive(Debug)]
struct Pending {
    ours: String,
    name: String,
    wire: String,
    answered: bool,
}

/// Which answer to a call is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answered<'a> {
    /// By the call's id.
    Id(&'a str),
    /// By the function's name: the deprecated form has no ids.
    Name(&'a str),
}

impl Turns {
    /// No turn yet. They go on from a body that ends with the bracket that opens `messages`.
    pub(crate) fn new(body: Vec<u8>, blocks: &'static Blocks) -> Self {
        Self {
            blocks,
            start: body.len(),
            out: body,
            assistant: Vec::new(),
            results: Vec::new(),
            said: Vec::new(),
            operator: Vec::new(),
            pending: Vec::new(),
            used: BTreeMap::new(),
        }
    }

    /// Ends the user's turn: what follows, calls first, is the assistant's.
    pub(crate) fn begin_assistant(&mut self) {
        if self.assistant.is_empty() {
            self.end_user();
        }
    }

    /// A turn in which the assistant said nothing: without a word in it two turns of the user would become one, and
    /// what was sent before would change.
    pub(crate) fn silent_assistant(&mut self) {
        self.begin_assistant();
        if self.assistant.is_empty() {
            self.assistant.extend_from_slice(self.blocks.filler);
        }
    }

    /// Where the assistant's blocks go, after [`Self::begin_assistant`].
    pub(crate) const fn assistant(&mut self) -> &mut Vec<u8> {
        &mut self.assistant
    }

    /// Where the user's text and media go. Ends the assistant's turn.
    pub(crate) fn user(&mut self) -> &mut Vec<u8> {
        self.end_assistant();
        &mut self.said
    }

    /// Where tool results go: they come first in the user's turn (E-25). Ends the assistant's turn.
    pub(crate) fn results(&mut self) -> &mut Vec<u8> {
        self.end_assistant();
        &mut self.results
    }

    /// Where late system messages go, which follow the user's turn. Ends the assistant's turn.
    pub(crate) fn operator(&mut self) -> &mut Vec<u8> {
        self.end_assistant();
        &mut self.operator
    }

    /// The provider's id for a new call: letters the provider takes, and never one that another call has.
    pub(crate) fn call(&mut self, ours: &str, name: &str) -> String {
        let plain = (self.blocks.id)(ours);
        let count = self.used.entry(plain.clone()).or_insert(0);
        *count = count.saturating_add(1);
        let wire = if *count == 1 {
            plain
        } else {
            (self.blocks.id)(&format!("{plain}_{count}"))
        };
        self.pending.push(Pending {
            ours: ours.to_owned(),
            name: name.to_owned(),
            wire: wire.clone(),
            answered: false,
        });
        wire
    }

    /// The provider's id of the call that a result answers; `None` for an orphan. Ends the assistant's turn.
    pub(crate) fn answer(&mut self, call: Answered<'_>) -> Option<String> {
        self.end_assistant();
        let found = self.pending.iter_mut().find(|pending| {
            !pending.answered
                && match call {
                    Answered::Id(id) => pending.ours == id,
                    Answered::Name(name) => pending.name == name,
                }
        })?;
        found.answered = true;
        Some(found.wire.clone())
    }

    /// Whether the turn that stands is the assistant's.
    pub(crate) const fn ends_with_assistant(&self) -> bool {
        !self.assistant.is_empty()
    }

    /// Whether calls of the last assistant turn have no result yet.
    pub(crate) fn has_unanswered(&self) -> bool {
        self.pending.iter().any(|pending| !pending.answered)
    }

    fn has_none(&self) -> bool {
        self.out.len() == self.start
    }

    /// The body with all messages, comma separated.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_assistant();
        self.end_user();
        if self.has_none() {
            self.filler();
            self.end_user();
        }
        self.out
    }

    /// A user's text where the format needs one and the client has none.
    fn filler(&mut self) {
        self.said.extend_from_slice(self.blocks.filler);
    }

    fn end_assistant(&mut self) {
        if self.assistant.is_empty() {
            return;
        }
        if self.has_none() {
            self.filler();
            self.end_user_blocks();
        }
        let mut blocks = std::mem::take(&mut self.assistant);
        self.message("assistant", &blocks, b"");
        blocks.clear();
        self.assistant = blocks;
    }

    fn end_user(&mut self) {
        for at in 0..self.pending.len() {
            self.missing(at);
        }
        self.pending.clear();
        self.end_user_blocks();
    }

    /// A result for a call that has none, as the provider demands one.
    fn missing(&mut self, at: usize) {
        if let Some(call) = self.pending.get(at).filter(|call| !call.answered) {
            comma(&mut self.results);
            (self.blocks.lost)(&call.wire, &mut self.results);
        }
    }

    fn end_user_blocks(&mut self) {
        let mut results = std::mem::take(&mut self.results);
        let mut said = std::mem::take(&mut self.said);
        let mut operator = std::mem::take(&mut self.operator);
        if results.is_empty() && said.is_empty() {
            // A system message may only follow a user's turn.
            std::mem::swap(&mut said, &mut operator);
        }
        self.message("user", &results, &said);
        self.message("system", &operator, b"");
        // The memory serves the next turn.
        for blocks in [&mut results, &mut said, &mut operator] {
            blocks.clear();
        }
        (self.results, self.said, self.operator) = (results, said, operator);
    }

    /// Writes a message of blocks and more blocks, if there are any.
    fn message(&mut self, role: &str, blocks: &[u8], more: &[u8]) {
        if blocks.is_empty() && more.is_empty() {
            return;
        }
        comma(&mut self.out);
        self.out.extend_from_slice(b"{\"role\":\"");
        self.out.extend_from_slice(role.as_bytes());
        self.out.extend_from_slice(b"\",\"content\":[");
        self.out.extend_from_slice(blocks);
        if !more.is_empty() {
            comma(&mut self.out);
        }
        self.out.extend_from_slice(more);
        self.out.extend_from_slice(b"]}");
    }
}
