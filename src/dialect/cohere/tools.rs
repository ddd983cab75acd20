//! Tools and the choice among them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{Members, elements, escape, key, member, quoted};
use crate::chat::message::Message;
use crate::chat::tool::{Choice, Tool, ToolKind};
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{Mode, Reply, Report, Target, refused};
use super::super::ids;
use super::super::toolroot::{self, Change};

/// The longest tool name that is sent.
const LONGEST_NAME: usize = 64;

/// The schema of a custom tool's stand-in.
const ONE_STRING: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}";

/// What is offered to the model.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// Each tool's JSON, comma separated.
    json: Vec<u8>,
    choice: Option<&'static str>,
    strict: Option<String>,
}

/// What an offer is made from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) request: &'a Request,
    pub(super) target: &'a Target<'a>,
    pub(super) mode: Mode,
    pub(super) tools: &'a [Tool<'a>],
    pub(super) choice: &'a Choice<'a>,
}

/// A letter that names have: "a-z, A-Z, 0-9, _" (cohere-python, the description of a tool's name).
const fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The pairs of changed names: tools first, then what only the choice or the history names (E-81).
pub(super) fn fit_names(
    tools: &[Tool<'_>],
    choice: &Choice<'_>,
    messages: &[Message<'_>],
) -> Vec<(String, String)> {
    let mut names: Vec<&str> = tools.iter().filter_map(|tool| name(tool)).collect();
    if let Choice::Named(chosen) | Choice::Custom(chosen) = choice {
        names.push(chosen);
    }
    let calls = messages.iter().flat_map(|message| message.calls.iter());
    names.extend(calls.map(|call| call.name.as_ref()));
    ids::fit_names(names.into_iter(), is_letter, LONGEST_NAME)
}

/// The provider's name of a tool.
pub(super) fn wire_name<'n>(reply: &'n Reply, ours: &'n str) -> &'n str {
    let pair = reply.names.iter().find(|(_, known)| known == ours);
    pair.map_or(ours, |(theirs, _)| theirs)
}

fn name<'a>(tool: &'a Tool<'_>) -> Option<&'a str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::Server(_) => None,
    }
}

impl Offer {
    /// Translates tools and choice, and notes what the decoder has to undo.
    ///
    /// # Errors
    /// Where a tool or a choice cannot be honoured.
    pub(super) fn make(
        source: &Source<'_>,
        reply: &mut Reply,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let mut offer = Self::default();
        let mut kept = Vec::new();
        for (at, tool) in source.tools.iter().enumerate() {
            if tool.cache.is_some() {
                report.drop(source.mode, "cache_control", "has no counterpart here.")?;
            }
            if is_offered(source.choice, tool) {
                offer.add(at, tool, source.mode, reply, report)?;
                kept.push((at, tool));
            }
        }
        if kept.is_empty() {
            return offer.nothing(source, report);
        }
        offer.choose(source, kept.len(), report)?;
        offer.strictness(source, &kept, report)?;
        if source.request.boolean("parallel_tool_calls")? == Some(false) {
            let why = "cannot be false: this provider has no such limit.";
            report.drop(source.mode, "parallel_tool_calls", why)?;
        }
        Ok(offer)
    }

    /// Whether nothing is offered.
    pub(super) const fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// Writes `strict_tools`, `tools` and `tool_choice`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if let Some(strict) = &self.strict {
            member("strict_tools", strict, out);
        }
        if self.json.is_empty() {
            return;
        }
        key("tools", out);
        out.push(b'[');
        out.extend_from_slice(&self.json);
        out.push(b']');
        if let Some(choice) = self.choice {
            member("tool_choice", &quoted(choice), out);
        }
    }

    /// A choice without tools means nothing, but a forced one cannot be kept.
    fn nothing(self, source: &Source<'_>, report: &mut Report) -> Result<Self, Error> {
        match source.choice {
            Choice::Absent | Choice::None | Choice::Auto => {}
            Choice::Named(_) | Choice::Custom(_) | Choice::Allowed { .. }
                if !source.tools.is_empty() =>
            {
                let message = "'tool_choice' names no tool of 'tools'.";
                return Err(Error::value("tool_choice", message));
            }
            Choice::Required | Choice::Named(_) | Choice::Custom(_) | Choice::Allowed { .. } => {
                report.drop(source.mode, "tool_choice", "needs tools.")?;
            }
        }
        Ok(self)
    }

    fn add(
        &mut self,
        at: usize,
        tool: &Tool<'_>,
        mode: Mode,
        reply: &mut Reply,
        report: &mut Report,
    ) -> Result<(), Error> {
        match &tool.kind {
            ToolKind::Function {
                name,
                description,
                parameters,
                ..
            } => {
                let root = toolroot::fit(*parameters);
                match root.change {
                    Change::None => {}
                    Change::Wrapped => reply.wrapped_tools.push(name.clone().into_owned()),
                    Change::Merged => {
                        let path = format!("tools[{at}].function.parameters");
                        report.emulate(mode, path, "must be one object here.")?;
                    }
                }
                self.function(wire_name(reply, name), *description, &root.json);
            }
            ToolKind::Custom {
                name,
                description,
                format,
            } => {
                let why = "is sent as a function of one string, as custom tools have no counterpart here.";
                report.emulate(mode, format!("tools[{at}]"), why)?;
                reply.custom_tools.push(name.clone().into_owned());
                let words = custom_words(*description, *format);
                let words = Escaped::trusted(&words);
                self.function(wire_name(reply, name), Some(words), ONE_STRING);
            }
            // Anybody's own tools are refused, never left out (E-31).
            ToolKind::Server(_) => {
                let why = "is no tool of this provider.";
                return Err(refused(&format!("tools[{at}].type"), why));
            }
        }
        Ok(())
    }

    fn function(&mut self, name: &str, description: Option<Escaped<'_>>, parameters: &str) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        let out = &mut self.json;
        out.extend_from_slice(b"{\"type\":\"function\",\"function\":{");
        member("name", &quoted(name), out);
        if let Some(description) = description.filter(|text| !text.is_empty()) {
            key("description", out);
            description.write_quoted(out);
        }
        member("parameters", parameters, out);
        out.extend_from_slice(b"}}");
    }

    /// The provider knows `REQUIRED` and `NONE`; a choice among the tools is made by offering no others.
    fn choose(
        &mut self,
        source: &Source<'_>,
        kept: usize,
        report: &mut Report,
    ) -> Result<(), Error> {
        let forced = match source.choice {
            Choice::Absent | Choice::Auto => return Ok(()),
            Choice::None => {
                self.choice = Some("NONE");
                return Ok(());
            }
            Choice::Required | Choice::Named(_) | Choice::Custom(_) => true,
            Choice::Allowed { required, .. } => *required,
        };
        if kept < source.tools.len() {
            let why = "is emulated by offering fewer tools.";
            report.emulate(source.mode, "tool_choice", why)?;
        }
        if forced && source.target.caps.forced_tool_choice == Some(false) {
            let why = "cannot force a call on this model.";
            return report.emulate(source.mode, "tool_choice", why);
        }
        self.choice = forced.then_some("REQUIRED");
        Ok(())
    }

    /// `strict` holds for all tools or for none here, and each must then have a parameter that is required
    /// (docs.cohere.com/docs/structured-outputs).
    fn strictness(
        &mut self,
        source: &Source<'_>,
        kept: &[(usize, &Tool<'_>)],
        report: &mut Report,
    ) -> Result<(), Error> {
        if let Some(said) = source.request.member("strict_tools") {
            self.strict = Some(said.to_owned());
            return Ok(());
        }
        if kept
            .iter()
            .all(|(_, tool)| is_strict(tool) && has_required(tool))
        {
            self.strict = Some("true".to_owned());
            return Ok(());
        }
        for (at, _) in kept.iter().filter(|(_, tool)| is_strict(tool)) {
            let why =
                "holds for all tools or for none here, and needs a required parameter in each.";
            report.drop(source.mode, format!("tools[{at}].function.strict"), why)?;
        }
        Ok(())
    }
}

fn is_strict(tool: &Tool<'_>) -> bool {
    matches!(&tool.kind, ToolKind::Function { strict, .. } if *strict == Some(true))
}

fn has_required(tool: &Tool<'_>) -> bool {
    let ToolKind::Function { parameters, .. } = &tool.kind else {
        return false;
    };
    let schema = parameters.and_then(|raw| Members::parse(raw.get()).ok());
    let required = schema.and_then(|schema| schema.find("required").and_then(elements));
    required.is_some_and(|list| !list.is_empty())
}

fn custom_words(description: Option<Escaped<'_>>, format: Option<&RawValue>) -> String {
    let mut words = description
        .unwrap_or(Escaped::EMPTY)
        .as_str()
        .as_bytes()
        .to_vec();
    if let Some(format) = format.filter(|format| format.get().contains("\"grammar\"")) {
        let text = format!("\n\nThe input must match this format: {}", format.get());
        escape(&text, &mut words);
    }
    String::from_utf8(words).unwrap_or_default()
}

fn is_offered(choice: &Choice<'_>, tool: &Tool<'_>) -> bool {
    let among = |names: &[Cow<'_, str>]| {
        name(tool).is_some_and(|name| names.iter().any(|known| known == name))
    };
    match choice {
        Choice::Absent | Choice::None | Choice::Auto | Choice::Required => true,
        Choice::Named(chosen) | Choice::Custom(chosen) => among(std::slice::from_ref(chosen)),
        Choice::Allowed { names, .. } => among(names),
    }
}
