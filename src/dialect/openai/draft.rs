//! A request between the client's and the provider's: the client's own members, and what becomes of each.

use std::borrow::Cow;

use crate::chat::json;
use crate::chat::request::OWN_MEMBERS;
use crate::chat::{Error, Request};

use super::super::caps::Effort;
use super::super::codec::{Context, Mode, Reply, Report, Target};

/// A request on its way: what changes, and what must be said about it.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// The client's request.
    pub(super) request: &'a Request,
    /// Where it goes.
    pub(super) target: &'a Target<'a>,
    /// What else bears on it.
    pub(super) context: &'a Context<'a>,
    /// What is lost.
    pub(super) report: Report,
    /// What the decoder must know.
    pub(super) reply: Reply,
    /// Whether tools are offered.
    pub(super) has_tools: bool,
    /// The level of reasoning asked for, by the client or by a rule.
    pub(super) effort: Option<Effort>,
    /// Text of a system message that stands in for what the provider lacks.
    pub(super) instruction: Option<String>,
    changes: Vec<(Cow<'a, str>, Change)>,
    added: Vec<(Cow<'a, str>, String)>,
}

/// What becomes of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Drop,
    Value(String),
    Name(String),
}

impl<'a> Draft<'a> {
    /// A request that nothing has touched yet.
    pub(super) fn new(
        request: &'a Request,
        target: &'a Target<'a>,
        context: &'a Context<'a>,
    ) -> Self {
        Self {
            request,
            target,
            context,
            report: Report::default(),
            reply: Reply {
                stream: request.stream,
                include_usage: request.include_usage,
                ..Reply::default()
            },
            has_tools: false,
            effort: None,
            instruction: None,
            changes: Vec::new(),
            added: Vec::new(),
        }
    }

    /// What to do about what the target lacks.
    pub(super) const fn mode(&self) -> Mode {
        self.context.mode
    }

    /// A member as the provider will get it; `None` where it is absent or left out.
    pub(super) fn member(&self, name: &str) -> Option<&'a str> {
        let dropped = self.change(name) == Some(&Change::Drop);
        self.request.member(name).filter(|_| !dropped)
    }

    /// Whether a member will be sent, by the client's hand or ours.
    pub(super) fn will_send(&self, name: &str) -> bool {
        let renamed = |change: &Change| matches!(change, Change::Name(to) if to == name);
        self.added.iter().any(|(known, _)| known == name)
            || self.changes.iter().any(|(_, change)| renamed(change))
            || (self.member(name).is_some() && !self.is_renamed(name))
    }

    /// Whether a member goes under another name.
    pub(super) fn is_renamed(&self, name: &str) -> bool {
        matches!(self.change(name), Some(Change::Name(_)))
    }

    /// Leaves a member out, unreported.
    pub(super) fn omit(&mut self, name: impl Into<Cow<'a, str>>) {
        self.set(name.into(), Change::Drop);
    }

    /// Leaves a member out if it is there, and reports it.
    pub(super) fn drop(&mut self, name: &str, why: &str) -> Result<(), Error> {
        if self.member(name).is_some() {
            self.report.drop(self.context.mode, name.to_owned(), why)?;
            self.omit(name.to_owned());
        }
        Ok(())
    }

    /// Puts another value in a member's place; adds it where the client sent none.
    pub(super) fn put(&mut self, name: impl Into<Cow<'a, str>>, json: String) {
        let name = name.into();
        if self.request.member(&name).is_some() {
            self.set(name, Change::Value(json));
        } else {
            self.added.retain(|(known, _)| *known != name);
            self.added.push((name, json));
        }
    }

    /// Sends a member under another name.
    pub(super) fn rename(&mut self, name: impl Into<Cow<'a, str>>, to: &str) {
        self.set(name.into(), Change::Name(to.to_owned()));
    }

    fn set(&mut self, name: Cow<'a, str>, change: Change) {
        self.changes.retain(|(known, _)| *known != name);
        self.changes.push((name, change));
    }

    fn change(&self, name: &str) -> Option<&Change> {
        let found = self.changes.iter().find(|(known, _)| known == name);
        found.map(|(_, change)| change)
    }

    /// Writes the body, with other messages if they were rewritten.
    pub(super) fn write(&self, messages: Option<&[u8]>, out: &mut Vec<u8>) {
        out.reserve(self.request.body().len().saturating_add(128));
        out.push(b'{');
        for (name, value) in self.request.members() {
            if OWN_MEMBERS.contains(&name) {
                continue;
            }
            let (to, value) = match (name, self.change(name)) {
                (_, Some(Change::Drop)) => continue,
                ("model", _) => {
                    json::key("model", out);
                    json::quote(self.target.model, out);
                    continue;
                }
                ("messages", _) => (name, messages.unwrap_or(value.as_bytes())),
                (_, Some(Change::Value(json))) => (name, json.as_bytes()),
                (_, Some(Change::Name(to))) => (to.as_str(), value.as_bytes()),
                (_, None) => (name, value.as_bytes()),
            };
            raw_key(to, out);
            out.extend_from_slice(value);
        }
        for (name, value) in &self.added {
            json::member(name, value, out);
        }
        out.push(b'}');
    }
}

/// Writes a key that is escaped already, as the client wrote it.
fn raw_key(name: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
