//! The calls of one turn and the results that answer them.

use crate::chat::{Message, Role, ToolCall};

/// The calls of one turn and the results found for them so far.
pub(super) struct Group<'m> {
    pub(super) at: usize,
    pub(super) slots: Vec<(&'m ToolCall<'m>, Option<usize>)>,
    /// System messages that came between calls and results: they follow the results.
    pub(super) late: Vec<usize>,
}

impl<'m> Group<'m> {
    pub(super) fn new(at: usize, message: &'m Message<'m>) -> Self {
        Self {
            at,
            slots: message.calls.iter().map(|call| (call, None)).collect(),
            late: Vec::new(),
        }
    }

    /// Keeps a system message for after the results.
    pub(super) fn defer(&mut self, at: usize) {
        self.late.push(at);
    }

    pub(super) fn slot(&mut self, message: &Message<'_>) -> Option<&mut Option<usize>> {
        let own = |call: &ToolCall<'_>| match message.role {
            Role::Function => message.name.as_deref() == Some(call.name.as_ref()),
            _ => message.call_id.as_deref() == Some(call.id.as_ref()),
        };
        let mut open = self.slots.iter_mut().filter(|(_, found)| found.is_none());
        open.find(|(call, _)| own(call)).map(|(_, found)| found)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.slots.iter().all(|(_, found)| found.is_some())
    }
}
