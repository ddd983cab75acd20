//! Results of functions: one content for the calls of one turn, with one response for each of them.

use std::borrow::Cow;

use crate::chat::json::{self, Escaped};
use crate::chat::message::PartKind;
use crate::chat::{Content, Error, Members, Message};

use super::parts::{self, Place};
use super::scribe::{Scribe, Side};

impl Scribe<'_, '_, '_, '_> {
    /// Writes the results of the open calls, one for each.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        self.enter(Side::Results);
        let mut media: Vec<(usize, usize)> = Vec::new();
        for (call, found) in &group.slots {
            json::comma(self.out);
            self.out.extend_from_slice(b"{\"functionResponse\":{");
            self.identity(call);
            json::key("response", self.out);
            if let Some((at, message)) = found.and_then(|at| Some((at, self.messages.get(at)?))) {
                self.result(at, message, &mut media)?;
            } else {
                let name = format!("messages[{}].tool_calls", group.at);
                self.job.emulate(name, "has a call without a result.")?;
                self.out.extend_from_slice(b"{\"error\":\"no result\"}");
            }
            self.out.extend_from_slice(b"}}");
        }
        self.shown(&media)?;
        for at in group.late {
            if let Some(message) = self.messages.get(at) {
                self.late_system(at, message)?;
            }
        }
        Ok(())
    }

    fn result(
        &mut self,
        at: usize,
        message: &Message<'_>,
        media: &mut Vec<(usize, usize)>,
    ) -> Result<(), Error> {
        response(Escaped::trusted(&text_of(message)), self.out);
        let found = media_of(message);
        if found.is_empty() {
            return Ok(());
        }
        if !self.job.model.is_third() {
            media.extend(found.into_iter().map(|k| (at, k)));
            return Ok(());
        }
        json::key("parts", self.out);
        self.out.push(b'[');
        for k in found {
            self.medium(at, k, Place::Response)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Media of results that the model only takes from the user.
    fn shown(&mut self, media: &[(usize, usize)]) -> Result<(), Error> {
        if media.is_empty() {
            return Ok(());
        }
        self.enter(Side::User);
        for (at, k) in media {
            self.medium(*at, *k, Place::Content)?;
        }
        Ok(())
    }

    fn medium(&mut self, at: usize, k: usize, place: Place) -> Result<(), Error> {
        let content = self.messages.get(at).map(|message| &message.content);
        if let Some(Content::Parts(parts)) = content
            && let Some(part) = parts.get(k)
        {
            json::comma(self.out);
            let path = format!("messages[{at}].content[{k}]");
            parts::write(self.job, &path, &part.kind, place, self.out)?;
        }
        Ok(())
    }

    /// A result that no open call asked for, told as text.
    pub(super) fn orphan(&mut self, at: usize, message: &Message<'_>) -> Result<(), Error> {
        let name = format!("messages[{at}].tool_call_id");
        self.job
            .emulate(name, "answers no call of the turn before it.")?;
        self.enter(Side::User);
        json::comma(self.out);
        self.out.extend_from_slice(b"{\"text\":\"[tool result");
        if let Some(name) = &message.name {
            self.out.push(b' ');
            json::escape(name, self.out);
        }
        self.out.extend_from_slice(b"] ");
        self.out.extend_from_slice(text_of(message).as_bytes());
        self.out.extend_from_slice(b"\"}");
        Ok(())
    }
}

/// What a tool said: an object as it is, anything else as `output`.
fn response(text: Escaped<'_>, out: &mut Vec<u8>) {
    // Most results are plain text and need no look inside.
    let may_be_object = text.as_str().trim_start().starts_with(['{', '\\']);
    if may_be_object {
        let decoded = text.decode();
        if Members::parse(decoded.trim()).is_ok() {
            out.extend_from_slice(decoded.trim().as_bytes());
            return;
        }
    }
    out.extend_from_slice(b"{\"output\":");
    text.write_quoted(out);
    out.push(b'}');
}

/// The texts of a result, each on its own line, escaped.
fn text_of<'a>(message: &Message<'a>) -> Cow<'a, str> {
    let parts = match &message.content {
        Content::Absent => return Cow::Borrowed(""),
        Content::Text(text) => return Cow::Borrowed(text.as_str()),
        Content::Parts(parts) => parts,
    };
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => Some(text.as_str()),
            PartKind::Image { .. }
            | PartKind::Audio { .. }
            | PartKind::File { .. }
            | PartKind::Other(_) => None,
        })
        .collect();
    Cow::Owned(texts.join("\\n"))
}

/// Which parts of a result are not text.
fn media_of(message: &Message<'_>) -> Vec<usize> {
    let Content::Parts(parts) = &message.content else {
        return Vec::new();
    };
    let is_media = |kind: &PartKind<'_>| !matches!(kind, PartKind::Text(_) | PartKind::Refusal(_));
    let numbered = parts.iter().enumerate();
    numbered
        .filter(|(_, part)| is_media(&part.kind))
        .map(|(k, _)| k)
        .collect()
}
