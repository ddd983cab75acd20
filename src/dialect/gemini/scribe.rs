//! The pen that writes `contents`: opens and closes them, and names calls.

use crate::chat::json::{self, Escaped};
use crate::chat::{Message, ToolCall};

use super::group::Group;
use super::job::Job;
use super::tools::Plan;

/// Whose content is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    User,
    Model,
    /// Results of functions: a content of the user's with nothing else in it.
    Results,
}

/// Writes contents one after the other.
pub(super) struct Scribe<'s, 'j, 'p, 'm> {
    pub(super) job: &'s mut Job<'j>,
    pub(super) plan: &'s Plan<'p>,
    pub(super) messages: &'m [Message<'m>],
    pub(super) out: &'s mut Vec<u8>,
    pub(super) side: Option<Side>,
    pub(super) group: Option<Group<'m>>,
}

impl Scribe<'_, '_, '_, '_> {
    /// Opens a content unless one of that side is open.
    pub(super) fn enter(&mut self, side: Side) {
        if self.side == Some(side) && side != Side::Results {
            return;
        }
        if self.side.is_none() && side == Side::Model {
            // A conversation must begin with the user.
            self.job.report.fill("messages[0]");
            self.enter(Side::User);
            text_part(Escaped::trusted("."), self.out);
        }
        self.leave();
        json::comma(self.out);
        let role: &[u8] = if side == Side::Model {
            b"{\"role\":\"model\",\"parts\":["
        } else {
            b"{\"role\":\"user\",\"parts\":["
        };
        self.out.extend_from_slice(role);
        self.side = Some(side);
    }

    pub(super) fn leave(&mut self) {
        if self.side.take().is_some() {
            self.out.extend_from_slice(b"]}");
        }
    }

    /// Id and name. Models before 3.0 refuse ids, and an id that we made was never theirs.
    pub(super) fn identity(&mut self, call: &ToolCall<'_>) {
        if self.job.model.is_third() && !call.id.is_empty() && !is_made_here(&call.id) {
            json::key("id", self.out);
            json::quote(&call.id, self.out);
        }
        json::key("name", self.out);
        json::quote(&self.plan.sent_name(&call.name), self.out);
    }
}

/// A part of text, unless there is none.
pub(super) fn said(text: Escaped<'_>, out: &mut Vec<u8>) {
    if !text.is_empty() {
        text_part(text, out);
    }
}

pub(super) fn text_part(text: Escaped<'_>, out: &mut Vec<u8>) {
    json::comma(out);
    out.extend_from_slice(b"{\"text\":");
    text.write_quoted(out);
    out.push(b'}');
}

/// Whether an id is one of [`made_call_id`](crate::dialect::ids::made_call_id).
fn is_made_here(id: &str) -> bool {
    id.strip_prefix("call_").is_some_and(|digits| {
        digits.len() == 24
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
