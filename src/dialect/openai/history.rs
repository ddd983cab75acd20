//! Reasoning of earlier turns, for providers that want it back.

use crate::chat::json::Members;
use crate::chat::{Escaped, Message, Role};

use super::super::codec::{Recall, turn_key};

/// The reasoning text of an assistant's message, escaped: the client's own, else what was kept of the turn.
///
/// `answers`: the call that the message before it is a result of.
pub(super) fn reasoning(
    message: &Message<'_>,
    answers: Option<&str>,
    recall: &dyn Recall,
) -> Option<String> {
    if let Some(text) = message.reasoning.filter(|text| !text.is_empty()) {
        return Some(text.as_str().to_owned());
    }
    let told = message.details.iter().filter_map(|raw| {
        let item = Members::parse(raw.get()).ok()?;
        let text = item
            .find("text")
            .or_else(|| item.find("thinking"))
            .and_then(Escaped::token)?;
        // A signature binds the text to another vendor's model, to which it is no secret; the text still helps.
        Some(text.as_str().to_owned())
    });
    let told: String = told.collect();
    if !told.is_empty() {
        return Some(told);
    }
    let first = message.calls.first().map(|call| call.id.as_ref());
    let state = recall.recall(&turn_key(first, answers)?)?;
    let members = Members::parse(&state).ok()?;
    let text = members.find("reasoning_content").and_then(Escaped::token)?;
    Some(text.as_str().to_owned())
}

/// Whether a message belongs to a turn that used tools.
pub(super) fn used_tools(message: &Message<'_>, answers: Option<&str>) -> bool {
    message.role == Role::Assistant && (!message.calls.is_empty() || answers.is_some())
}
