//! Tools and the choice among them as `toolConfig`.

use serde_json::value::RawValue;

use crate::chat::json::{Members, key, member, quoted};
use crate::chat::message::Message;
use crate::chat::tool::{Choice, Tool, ToolKind};
use crate::chat::{Error, Escaped, Request};

use super::super::anthropic::format::{JSON_TOOL, JSON_WORDS};
use super::super::anthropic::marks::Marks;
use super::super::anthropic::schema;
use super::super::anthropic::tools::{CUSTOM_SCHEMA, Names, custom_words, is_allowed};
use super::super::codec::{Mode, Reply, Report, Target, refused};
use super::super::toolroot::{self, Change};
use super::content::cache_point;
use super::maker::Maker;

/// The longest tool name the provider takes.
pub(super) const LONGEST_NAME: usize = 64;

/// What is offered to the model.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// Each tool's JSON, comma separated.
    json: Vec<u8>,
    /// The `toolChoice` object.
    choice: Option<String>,
    /// Whether some call is forced.
    pub(super) forced: bool,
}

/// What an offer is made from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) request: &'a Request,
    pub(super) target: &'a Target<'a>,
    pub(super) maker: Maker,
    pub(super) mode: Mode,
    pub(super) tools: &'a [Tool<'a>],
    pub(super) choice: &'a Choice<'a>,
    pub(super) messages: &'a [Message<'a>],
}

/// What a translation leaves behind.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    pub(super) marks: Marks,
    /// What the decoder has to undo.
    pub(super) reply: &'a mut Reply,
    pub(super) report: &'a mut Report,
}

impl Offer {
    /// Translates tools and choice, and notes what the decoder has to undo.
    ///
    /// # Errors
    /// Where a tool or a choice cannot be honoured.
    pub(super) fn make(source: &Source<'_>, notes: &mut Notes<'_>) -> Result<Self, Error> {
        let mut offer = Self::default();
        if source.tools.is_empty() {
            idle(source, notes.report)?;
        } else if *source.choice != Choice::None {
            for (at, tool) in source.tools.iter().enumerate() {
                if is_allowed(source.choice, tool) {
                    offer.add(at, tool, source, notes)?;
                }
            }
            offer.choose(source, notes)?;
            return Ok(offer);
        }
        offer.without(source, notes)?;
        Ok(offer)
    }

    /// Whether nothing is offered.
    pub(super) const fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// Offers one tool only and forces it: the stand-in for a JSON schema.
    pub(super) fn stand_in(schema: &str) -> Self {
        let mut offer = Self::default();
        offer.spec(JSON_TOOL, Some(Escaped::trusted(JSON_WORDS)), schema);
        offer.json.extend_from_slice(b"}}");
        let name = quoted(JSON_TOOL);
        offer.choice = Some(format!("{{\"tool\":{{\"name\":{name}}}}}"));
        offer.forced = true;
        offer
    }

    /// Writes `toolConfig`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.json.is_empty() {
            return;
        }
        key("toolConfig", out);
        out.extend_from_slice(b"{\"tools\":[");
        out.extend_from_slice(&self.json);
        out.push(b']');
        if let Some(choice) = &self.choice {
            member("toolChoice", choice, out);
        }
        out.push(b'}');
    }

    /// No call shall be made. There is no such choice here, so the tools are not offered; but a history of calls is
    /// refused without their tools (E-24), which are then offered in their order.
    fn without(&mut self, source: &Source<'_>, notes: &mut Notes<'_>) -> Result<(), Error> {
        let calls = source.messages.iter().flat_map(|message| &message.calls);
        let mut called: Vec<&str> = Vec::new();
        for call in calls {
            if !called.contains(&call.name.as_ref()) {
                called.push(&call.name);
            }
        }
        if !source.tools.is_empty() {
            if called.is_empty() {
                return Ok(());
            }
            let why = "cannot be none here while the history calls tools.";
            notes.report.emulate(source.mode, "tool_choice", why)?;
            for (at, tool) in source.tools.iter().enumerate() {
                self.add(at, tool, source, notes)?;
            }
            return Ok(());
        }
        for name in &called {
            let wire = Names(&notes.reply.names).wire(name).to_owned();
            self.spec(&wire, None, "{\"type\":\"object\",\"properties\":{}}");
            self.json.extend_from_slice(b"}}");
        }
        if !called.is_empty() {
            notes.report.fill("tools");
        }
        Ok(())
    }

    /// Writes a tool up to the brace that closes its `toolSpec`.
    fn spec(&mut self, name: &str, description: Option<Escaped<'_>>, schema: &str) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(b"{\"toolSpec\":{");
        member("name", &quoted(name), &mut self.json);
        // Empty descriptions are refused.
        if let Some(description) = description.filter(|text| !text.is_empty()) {
            key("description", &mut self.json);
            description.write_quoted(&mut self.json);
        }
        key("inputSchema", &mut self.json);
        self.json.extend_from_slice(b"{\"json\":");
        with_properties(schema, &mut self.json);
        self.json.push(b'}');
    }

    fn add(
        &mut self,
        at: usize,
        tool: &Tool<'_>,
        source: &Source<'_>,
        notes: &mut Notes<'_>,
    ) -> Result<(), Error> {
        match &tool.kind {
            ToolKind::Function {
                name,
                description,
                parameters,
                strict,
            } => {
                let root = toolroot::fit(*parameters);
                let wire = Names(&notes.reply.names).wire(name).to_owned();
                self.spec(&wire, *description, &root.json);
                match root.change {
                    Change::None => {}
                    Change::Wrapped => notes.reply.wrapped_tools.push(name.clone().into_owned()),
                    Change::Merged => {
                        let path = format!("tools[{at}].function.parameters");
                        let why = "must be one object here.";
                        notes.report.emulate(source.mode, path, why)?;
                    }
                }
                if *strict == Some(true) {
                    self.strict(at, *parameters, source, notes.report)?;
                }
            }
            ToolKind::Custom {
                name,
                description,
                format,
            } => {
                let why = "is sent as a function of one string, as custom tools have no counterpart here.";
                let path = format!("tools[{at}]");
                notes.report.emulate(source.mode, path, why)?;
                notes.reply.custom_tools.push(name.clone().into_owned());
                let words = custom_words(*description, *format);
                let wire = Names(&notes.reply.names).wire(name).to_owned();
                self.spec(&wire, Some(Escaped::trusted(&words)), CUSTOM_SCHEMA);
            }
            ToolKind::Server(_) => return self.native(at, tool.raw),
        }
        self.json.extend_from_slice(b"}}");
        if let Some(mark) = notes.marks.next(tool.cache) {
            if source.maker.caches() {
                self.json.push(b',');
                cache_point(mark, &mut self.json);
            } else {
                let why = "is not known to this model.";
                notes.report.drop(source.mode, "cache_control", why)?;
            }
        }
        Ok(())
    }

    /// Asks for enforcement only where the model is known for it and the schema is within the grammar as it stands.
    fn strict(
        &mut self,
        at: usize,
        parameters: Option<&RawValue>,
        source: &Source<'_>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let known = match source.target.caps.json_schema {
            Some(known) => known,
            None => source.maker == Maker::Anthropic,
        };
        let fits = parameters
            .map(schema::fit)
            .is_some_and(|fitted| !fitted.open && !fitted.changed);
        if known && fits && source.target.quirks.strict_tools {
            member("strict", "true", &mut self.json);
            return Ok(());
        }
        let why = "is left out: the model or the schema goes beyond what can be enforced here.";
        report.drop(source.mode, format!("tools[{at}].function.strict"), why)
    }

    /// Converse's own tools (`{"systemTool": …}`, `{"toolSpec": …}`) are passed as they are; anybody else's are
    /// refused, never left out (E-31).
    fn native(&mut self, at: usize, raw: &RawValue) -> Result<(), Error> {
        let members = Members::parse(raw.get()).unwrap_or_default();
        let own = ["systemTool", "toolSpec", "cachePoint"];
        let own = own
            .iter()
            .find_map(|name| Some((*name, members.find(name)?)));
        let Some((name, value)) = own else {
            let why = "is no tool of this provider.";
            return Err(refused(&format!("tools[{at}].type"), why));
        };
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.push(b'{');
        member(name, value.get(), &mut self.json);
        self.json.push(b'}');
        Ok(())
    }

    fn choose(&mut self, source: &Source<'_>, notes: &mut Notes<'_>) -> Result<(), Error> {
        let (kind, name) = match source.choice {
            Choice::Absent | Choice::None => return Ok(()),
            Choice::Auto
            | Choice::Allowed {
                required: false, ..
            } => ("auto", None),
            Choice::Required | Choice::Allowed { required: true, .. } => ("any", None),
            Choice::Named(name) | Choice::Custom(name) => ("tool", Some(name)),
        };
        if kind != "auto" && source.target.caps.forced_tool_choice == Some(false) {
            let why = "cannot force a call on this model.";
            notes.report.emulate(source.mode, "tool_choice", why)?;
            self.choice = Some("{\"auto\":{}}".to_owned());
            return Ok(());
        }
        self.forced = kind != "auto";
        let inner = name.map_or_else(String::new, |name| {
            let name = Names(&notes.reply.names).wire(name);
            format!("\"name\":{}", quoted(name))
        });
        self.choice = Some(format!("{{\"{kind}\":{{{inner}}}}}"));
        Ok(())
    }
}

/// A choice means nothing without tools.
fn idle(source: &Source<'_>, report: &mut Report) -> Result<(), Error> {
    match source.request.member("tool_choice") {
        Some(choice) if choice != "\"none\"" => {
            report.drop(source.mode, "tool_choice", "needs tools.")
        }
        _ => Ok(()),
    }
}

/// A schema with `properties`, without which some models refuse an object.
fn with_properties(schema: &str, out: &mut Vec<u8>) {
    let members = Members::parse(schema).unwrap_or_default();
    if members.find("properties").is_some() {
        return out.extend_from_slice(schema.as_bytes());
    }
    out.push(b'{');
    for (name, value) in members.0 {
        if name != "properties" {
            member(&name, value.get(), out);
        }
    }
    member("properties", "{}", out);
    out.push(b'}');
}
