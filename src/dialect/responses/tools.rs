//! Tools and the choice among them: what is nested in chat completions is flat here.

use serde_json::value::RawValue;

use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::tool::ToolKind;
use crate::chat::{Choice, Error, Escaped, Tool};

use super::super::codec::refused;
use super::job::Job;

/// The schema of a function that takes nothing.
const NOTHING: &str =
    r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#;

/// The tools a request offers and the choice among them, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Offer {
    tools: Vec<u8>,
    choice: Option<String>,
    parallel: Option<String>,
}

impl Offer {
    /// Translates tools and choice.
    ///
    /// # Errors
    /// Where something has no known shape, or nothing here corresponds to it.
    pub(super) fn make(job: &mut Job<'_>, list: &[Tool<'_>]) -> Result<Self, Error> {
        let mut tools = Vec::new();
        for (at, tool) in list.iter().enumerate() {
            if tool.cache.is_some() {
                let name = format!("tools[{at}].cache_control");
                job.drop(name, "has no counterpart here.")?;
            }
            one(at, tool, &mut tools)?;
        }
        if let Some(raw) = job.member("web_search_options")? {
            web_search(raw, &mut tools)?;
        }
        if tools.is_empty() {
            for name in ["tool_choice", "function_call", "parallel_tool_calls"] {
                if job.request.member(name).is_some() {
                    job.drop(name, "means nothing without tools, and is refused.")?;
                }
            }
            return Ok(Self::default());
        }
        Ok(Self {
            tools,
            choice: choice(job, list)?,
            parallel: job.member("parallel_tool_calls")?.map(str::to_owned),
        })
    }

    /// Writes the members.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if let Some(parallel) = &self.parallel {
            member("parallel_tool_calls", parallel, out);
        }
        if let Some(choice) = &self.choice {
            member("tool_choice", choice, out);
        }
        if !self.tools.is_empty() {
            key("tools", out);
            out.push(b'[');
            out.extend_from_slice(&self.tools);
            out.push(b']');
        }
    }
}

fn one(at: usize, tool: &Tool<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    comma(out);
    match &tool.kind {
        ToolKind::Function {
            name,
            description,
            parameters,
            strict,
        } => {
            out.extend_from_slice(b"{\"type\":\"function\"");
            named(name, *description, out);
            let parameters = parameters.filter(|raw| raw.get() != "null");
            member("parameters", parameters.map_or(NOTHING, RawValue::get), out);
            // Said aloud: left out, it is true here and false in chat completions.
            let strict = if *strict == Some(true) {
                "true"
            } else {
                "false"
            };
            member("strict", strict, out);
        }
        ToolKind::Custom {
            name,
            description,
            format,
        } => {
            out.extend_from_slice(b"{\"type\":\"custom\"");
            named(name, *description, out);
            if let Some(raw) = format {
                key("format", out);
                flat_format(raw, out);
            }
        }
        ToolKind::Server(kind) if kind.is_empty() => {
            return Err(refused(&format!("tools[{at}].type"), "is missing."));
        }
        // The vendor's own tools have the same shape in both of its APIs.
        ToolKind::Server(_) => {
            out.extend_from_slice(tool.raw.get().as_bytes());
            return Ok(());
        }
    }
    out.push(b'}');
    Ok(())
}

fn named(name: &str, description: Option<Escaped<'_>>, out: &mut Vec<u8>) {
    member("name", &quoted(name), out);
    if let Some(description) = description {
        key("description", out);
        description.write_quoted(out);
    }
}

/// A custom tool's format, its grammar beside its type.
fn flat_format(raw: &RawValue, out: &mut Vec<u8>) {
    let members = Members::parse(raw.get()).unwrap_or_default();
    let grammar = members.find("grammar");
    let grammar = grammar.and_then(|raw| Members::parse(raw.get()).ok());
    let Some(grammar) = grammar else {
        out.extend_from_slice(raw.get().as_bytes());
        return;
    };
    out.extend_from_slice(b"{\"type\":\"grammar\"");
    for (name, value) in &grammar.0 {
        member(name, value.get(), out);
    }
    out.push(b'}');
}

/// `web_search_options` as the tool that does the same.
fn web_search(raw: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    let shape = |_| {
        let message = "'web_search_options' must be an object.";
        Error::value("web_search_options", message)
    };
    let options = Members::parse(raw).map_err(shape)?;
    comma(out);
    out.extend_from_slice(b"{\"type\":\"web_search\"");
    if let Some(size) = options.find("search_context_size") {
        member("search_context_size", size.get(), out);
    }
    let place = options.find("user_location");
    let place = place.and_then(|raw| Members::parse(raw.get()).ok());
    let place = place.and_then(|place| Members::parse(place.find("approximate")?.get()).ok());
    if let Some(place) = place {
        key("user_location", out);
        out.extend_from_slice(b"{\"type\":\"approximate\"");
        for (name, value) in place.0.iter().filter(|(_, value)| value.get() != "null") {
            member(name, value.get(), out);
        }
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

fn choice(job: &mut Job<'_>, list: &[Tool<'_>]) -> Result<Option<String>, Error> {
    let choice = job.request.tool_choice()?;
    let forces = match &choice {
        Choice::Required
        | Choice::Named(_)
        | Choice::Custom(_)
        | Choice::Allowed { required: true, .. } => true,
        Choice::Absent | Choice::None | Choice::Auto | Choice::Allowed { .. } => false,
    };
    if forces && job.target.caps.forced_tool_choice == Some(false) {
        job.emulate("tool_choice", "cannot be forced on this model.")?;
        return Ok(Some("\"auto\"".to_owned()));
    }
    Ok(match choice {
        Choice::Absent => None,
        Choice::None => Some("\"none\"".to_owned()),
        Choice::Auto => Some("\"auto\"".to_owned()),
        Choice::Required => Some("\"required\"".to_owned()),
        Choice::Named(name) | Choice::Custom(name) => Some(reference(&name, list)),
        Choice::Allowed { required, names } => {
            let mut out = b"{\"type\":\"allowed_tools\"".to_vec();
            let mode = if required { "\"required\"" } else { "\"auto\"" };
            member("mode", mode, &mut out);
            key("tools", &mut out);
            out.push(b'[');
            for name in &names {
                comma(&mut out);
                out.extend_from_slice(reference(name, list).as_bytes());
            }
            out.extend_from_slice(b"]}");
            String::from_utf8(out).ok()
        }
    })
}

/// A tool by its kind and name.
fn reference(name: &str, list: &[Tool<'_>]) -> String {
    let is_custom = list.iter().any(
        |tool| matches!(&tool.kind, ToolKind::Custom { name: known, .. } if known.as_ref() == name),
    );
    let kind = if is_custom { "custom" } else { "function" };
    format!("{{\"type\":\"{kind}\",\"name\":{}}}", quoted(name))
}
