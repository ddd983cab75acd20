//! The order of messages: what answers a call stands right after it, and whatever came between waits.

use std::collections::BTreeMap;

use crate::chat::json::{comma, member, quoted};

use super::super::ids;

/// Messages one after another, with the calls that wait for their results.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Calls of the last assistant message, in order.
    pending: Vec<Pending>,
    /// Messages that came before all results were there.
    held: Vec<u8>,
    /// How often each id was used, so that no two calls share one.
    used: BTreeMap<String, u32>,
    /// Whether the last message is the assistant's.
    pub(super) ends_with_assistant: bool,
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
pub(super) enum Answered<'a> {
    /// By the call's id.
    Id(&'a str),
    /// By the function's name: the deprecated form has no ids.
    Name(&'a str),
}

impl Turns {
    /// Puts a message that is neither the assistant's nor a result.
    pub(super) fn other(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let out = if self.waits() { &mut self.held } else { out };
        comma(out);
        out.extend_from_slice(message);
        self.ends_with_assistant = false;
    }

    /// Makes room for a message of the assistant: calls that have no result get one that says so. Gives back whether
    /// any had none.
    pub(super) fn settle(&mut self, out: &mut Vec<u8>) -> bool {
        let missing = self.waits();
        for call in self.pending.drain(..).filter(|call| !call.answered) {
            result(&call.wire, "\"no result\"", out);
        }
        self.release(out);
        missing
    }

    /// The provider's id for a new call: never one that another call has. `place` names a call that has none.
    pub(super) fn call(&mut self, ours: &str, name: &str, place: (usize, u32)) -> String {
        let id = if ours.is_empty() {
            ids::made_call_id(&format!("messages[{}]", place.0), 0, place.1)
        } else {
            ours.to_owned()
        };
        let count = self.used.entry(id.clone()).or_insert(0);
        *count = count.saturating_add(1);
        let wire = if *count == 1 {
            id
        } else {
            format!("{id}_{count}")
        };
        self.pending.push(Pending {
            ours: ours.to_owned(),
            name: name.to_owned(),
            wire: wire.clone(),
            answered: false,
        });
        wire
    }

    /// Puts a call's result; gives back whether there is such a call.
    pub(super) fn answer(&mut self, call: Answered<'_>, content: &str, out: &mut Vec<u8>) -> bool {
        let found = self.pending.iter_mut().find(|pending| {
            !pending.answered
                && match call {
                    Answered::Id(id) => pending.ours == id,
                    Answered::Name(name) => pending.name == name,
                }
        });
        let Some(found) = found else {
            return false;
        };
        found.answered = true;
        result(&found.wire, content, out);
        self.ends_with_assistant = false;
        if !self.waits() {
            self.release(out);
        }
        true
    }

    fn waits(&self) -> bool {
        self.pending.iter().any(|pending| !pending.answered)
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            comma(out);
            out.append(&mut self.held);
        }
    }
}

fn result(id: &str, content: &str, out: &mut Vec<u8>) {
    comma(out);
    out.extend_from_slice(b"{\"role\":\"tool\"");
    member("tool_call_id", &quoted(id), out);
    member("content", content, out);
    out.push(b'}');
}
