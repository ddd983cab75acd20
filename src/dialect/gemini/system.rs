//! System messages: the leading run as `systemInstruction`, later ones in their place.

use crate::chat::json::{self, Escaped};
use crate::chat::message::PartKind;
use crate::chat::{Content, Error, Message, Role};
use crate::dialect::codec::refused;

use super::job::Job;
use super::scribe::{Scribe, Side, text_part};

/// Before words of the operator that come after the first other message. Escaped.
const OPERATOR: &str = "[Instruction of the operator, not of the user]\\n";

/// The instruction before the first other message.
#[derive(Debug)]
pub(super) struct System<'m, 'a> {
    /// How many messages it takes.
    pub(super) leading: usize,
    texts: Vec<Escaped<'a>>,
    extra: Option<&'m str>,
    /// Open models have no system instruction: it opens the first user content.
    pub(super) in_contents: bool,
}

impl<'m, 'a> System<'m, 'a> {
    pub(super) fn read(
        job: &mut Job<'_>,
        messages: &[Message<'a>],
        extra: Option<&'m str>,
    ) -> Result<Self, Error> {
        let is_system =
            |message: &&Message<'_>| matches!(message.role, Role::System | Role::Developer);
        let leading = messages.iter().take_while(is_system).count();
        if leading == messages.len() {
            let message = "At least one message must be other than system or developer.";
            return Err(Error::value("messages", message));
        }
        let mut texts = Vec::new();
        for (at, message) in messages.iter().enumerate().take(leading) {
            texts.extend(words(job, at, message)?);
        }
        let in_contents = job.model.gemma && !(texts.is_empty() && extra.is_none());
        if in_contents {
            job.emulate("messages[0].role", "is no role of this model.")?;
        }
        Ok(Self {
            leading,
            texts,
            extra,
            in_contents,
        })
    }

    pub(super) fn has_instruction(&self) -> bool {
        !self.texts.is_empty() || self.extra.is_some()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.in_contents || !self.has_instruction() {
            return;
        }
        json::key("systemInstruction", out);
        out.extend_from_slice(b"{\"parts\":[");
        self.parts(out);
        out.extend_from_slice(b"]}");
    }

    pub(super) fn parts(&self, out: &mut Vec<u8>) {
        for text in &self.texts {
            text_part(*text, out);
        }
        if let Some(extra) = self.extra {
            json::comma(out);
            out.extend_from_slice(b"{\"text\":");
            json::quote(extra, out);
            out.push(b'}');
        }
    }
}

/// The texts of a system message; anything else in one is refused.
fn words<'a>(
    job: &mut Job<'_>,
    at: usize,
    message: &Message<'a>,
) -> Result<Vec<Escaped<'a>>, Error> {
    marks(job, message)?;
    let parts = match &message.content {
        Content::Absent => return Ok(Vec::new()),
        Content::Text(text) => return Ok([*text].into_iter().filter(|t| !t.is_empty()).collect()),
        Content::Parts(parts) => parts,
    };
    let mut texts = Vec::with_capacity(parts.len());
    for (k, part) in parts.iter().enumerate() {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) if text.is_empty() => {}
            PartKind::Text(text) | PartKind::Refusal(text) => texts.push(*text),
            PartKind::Image { .. }
            | PartKind::Audio { .. }
            | PartKind::File { .. }
            | PartKind::Other(_) => {
                let path = format!("messages[{at}].content[{k}]");
                return Err(refused(&path, "must be text in a system message."));
            }
        }
    }
    Ok(texts)
}

/// Cache marks have no counterpart, and a speaker's name has no place.
pub(super) fn marks(job: &mut Job<'_>, message: &Message<'_>) -> Result<(), Error> {
    let on_part = match &message.content {
        Content::Parts(parts) => parts.iter().any(|part| part.cache.is_some()),
        Content::Absent | Content::Text(_) => false,
    };
    if on_part || message.cache.is_some() {
        job.drop("cache_control", "has no counterpart: caching is implicit.")?;
    }
    if message.name.is_some() && message.role != Role::Function && message.role != Role::Tool {
        job.drop("messages.name", "has no place here.")?;
    }
    Ok(())
}

impl Scribe<'_, '_, '_, '_> {
    /// Words of the operator in their place: user text with a mark.
    pub(super) fn late_system(&mut self, at: usize, message: &Message<'_>) -> Result<(), Error> {
        if let Some(group) = self.group.as_mut().filter(|group| !group.is_complete()) {
            group.defer(at);
            return Ok(());
        }
        self.flush()?;
        let texts = words(self.job, at, message)?;
        if texts.is_empty() {
            return Ok(());
        }
        let name = format!("messages[{at}].role");
        self.job
            .emulate(name, "can only be system before the first other message.")?;
        self.enter(Side::User);
        for text in texts {
            json::comma(self.out);
            self.out.extend_from_slice(b"{\"text\":\"");
            self.out.extend_from_slice(OPERATOR.as_bytes());
            self.out.extend_from_slice(text.as_str().as_bytes());
            self.out.extend_from_slice(b"\"}");
        }
        Ok(())
    }
}
