//! Tools and the choice among them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{Members, key, member, quoted};
use crate::chat::message::Message;
use crate::chat::tool::{Choice, Tool, ToolKind};
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{Mode, Reply, Report, Target, refused};
use super::super::ids;
use super::super::toolroot::{self, Change};
use super::format::{JSON_TOOL, JSON_WORDS};
use super::marks::Marks;
use super::schema;

/// The longest tool name the provider takes.
pub(crate) const LONGEST_NAME: usize = 128;

/// The arguments of a custom tool that is sent as a function.
pub(crate) const CUSTOM_SCHEMA: &str = "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}";

/// The provider's web search, in the version that every model and host takes.
const WEB_SEARCH: &str = "{\"type\":\"web_search_20250305\",\"name\":\"web_search\"";

/// What is offered to the model.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    /// Each tool's JSON, comma separated.
    json: Vec<u8>,
    /// The `tool_choice` object.
    choice: Option<String>,
    /// Whether some call is forced.
    pub(crate) forced: bool,
}

/// Names of the provider for names of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a>(pub(crate) &'a [(String, String)]);

impl<'n> Names<'n> {
    /// The provider's name of a tool.
    pub(crate) fn wire<'s>(self, ours: &'s str) -> &'s str
    where
        'n: 's,
    {
        self.0
            .iter()
            .find(|(_, known)| known == ours)
            .map_or(ours, |(theirs, _)| theirs)
    }
}

/// The pairs of changed names: tools first, then what only the choice or the history names (E-81).
pub(crate) fn fit_names(
    tools: &[Tool<'_>],
    choice: &Choice<'_>,
    messages: &[Message<'_>],
    longest: usize,
) -> Vec<(String, String)> {
    let mut names: Vec<&str> = tools.iter().filter_map(|tool| name(tool)).collect();
    if let Choice::Named(chosen) | Choice::Custom(chosen) = choice {
        names.push(chosen);
    }
    let calls = messages.iter().flat_map(|message| message.calls.iter());
    names.extend(calls.map(|call| call.name.as_ref()));
    ids::fit_names(names.into_iter(), ids::is_plain_name, longest)
}

fn name<'a>(tool: &'a Tool<'_>) -> Option<&'a str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::Server(_) => None,
    }
}

/// What an offer is made from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) request: &'a Request,
    pub(crate) target: &'a Target<'a>,
    pub(crate) mode: Mode,
    pub(crate) tools: &'a [Tool<'a>],
    pub(crate) choice: &'a Choice<'a>,
    pub(crate) messages: &'a [Message<'a>],
}

/// What a translation leaves behind.
#[derive(Debug)]
pub(crate) struct Notes<'a> {
    pub(crate) marks: Marks,
    /// What the decoder has to undo.
    pub(crate) reply: &'a mut Reply,
    pub(crate) report: &'a mut Report,
}

impl Offer {
    /// Translates tools and choice, and notes what the decoder has to undo.
    ///
    /// # Errors
    /// Where a tool or a choice cannot be honoured.
    pub(crate) fn make(source: &Source<'_>, notes: &mut Notes<'_>) -> Result<Self, Error> {
        let mut offer = Self::default();
        for (at, tool) in source.tools.iter().enumerate() {
            if is_allowed(source.choice, tool) {
                offer.add(at, tool, source, notes)?;
            }
        }
        offer.web_search(source.request)?;
        if offer.json.is_empty() {
            offer.rebuild(source, notes)?;
        } else {
            offer.choose(source, notes)?;
        }
        Ok(offer)
    }

    /// Whether nothing is offered.
    pub(crate) const fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// Offers one tool only and forces it: the stand-in for a JSON schema.
    pub(crate) fn stand_in(schema: &str) -> Self {
        let mut offer = Self::default();
        let words = Escaped::trusted(JSON_WORDS);
        offer.open(JSON_TOOL, Some(words));
        member("input_schema", schema, &mut offer.json);
        offer.json.push(b'}');
        // Two calls of it would be two answers (E-43).
        offer.choice = Some(choice("tool", Some(JSON_TOOL), true));
        offer.forced = true;
        offer
    }

    /// Writes `tools` and `tool_choice`.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.json.is_empty() {
            return;
        }
        key("tools", out);
        out.push(b'[');
        out.extend_from_slice(&self.json);
        out.push(b']');
        if let Some(choice) = &self.choice {
            member("tool_choice", choice, out);
        }
    }

    fn open(&mut self, name: &str, description: Option<Escaped<'_>>) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.push(b'{');
        member("name", &quoted(name), &mut self.json);
        if let Some(description) = description.filter(|text| !text.is_empty()) {
            key("description", &mut self.json);
            description.write_quoted(&mut self.json);
        }
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
                self.open(Names(&notes.reply.names).wire(name), *description);
                let root = toolroot::fit(*parameters);
                let path = format!("tools[{at}].function.parameters");
                match root.change {
                    Change::None => {}
                    Change::Wrapped => notes.reply.wrapped_tools.push(name.clone().into_owned()),
                    Change::Merged => {
                        notes
                            .report
                            .emulate(source.mode, path, "must be one object here.")?;
                    }
                }
                member("input_schema", &root.json, &mut self.json);
                if *strict == Some(true) {
                    self.strict(at, *parameters, source.mode, notes.report)?;
                }
            }
            ToolKind::Custom {
                name,
                description,
                format,
            } => {
                let why = "is sent as a function of one string, as custom tools have no counterpart here.";
                notes
                    .report
                    .emulate(source.mode, format!("tools[{at}]"), why)?;
                notes.reply.custom_tools.push(name.clone().into_owned());
                self.custom(Names(&notes.reply.names).wire(name), *description, *format);
            }
            ToolKind::Server(kind) => return self.server(at, kind, tool.raw),
        }
        notes.marks.write(tool.cache, &mut self.json);
        self.json.push(b'}');
        Ok(())
    }

    /// Asks for enforcement only where the schema is within the grammar as it stands.
    fn strict(
        &mut self,
        at: usize,
        parameters: Option<&RawValue>,
        mode: Mode,
        report: &mut Report,
    ) -> Result<(), Error> {
        let fits = parameters
            .map(schema::fit)
            .is_some_and(|fitted| !fitted.open && !fitted.changed);
        if fits {
            member("strict", "true", &mut self.json);
            return Ok(());
        }
        let why = "is left out: the schema goes beyond what this provider can enforce.";
        report.drop(mode, format!("tools[{at}].function.strict"), why)
    }

    fn custom(&mut self, name: &str, description: Option<Escaped<'_>>, format: Option<&RawValue>) {
        let words = custom_words(description, format);
        self.open(name, Some(Escaped::trusted(&words)));
        member("input_schema", CUSTOM_SCHEMA, &mut self.json);
    }

    /// The provider's own tools are passed as they are; anybody else's are refused, never left out (E-31).
    fn server(&mut self, at: usize, kind: &str, raw: &RawValue) -> Result<(), Error> {
        let dated = kind
            .rsplit_once('_')
            .is_some_and(|(_, date)| date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()));
        let members = Members::parse(raw.get()).unwrap_or_default();
        if !dated && kind != "mcp_toolset" && members.find("input_schema").is_none() {
            let why = "is no tool of this provider.";
            return Err(refused(&format!("tools[{at}].type"), why));
        }
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(raw.get().as_bytes());
        Ok(())
    }

    fn web_search(&mut self, request: &Request) -> Result<(), Error> {
        let Some(raw) = request.member("web_search_options") else {
            return Ok(());
        };
        let shape = |_| Error::value("web_search_options", "It must be an object.");
        let options = Members::parse(raw).map_err(shape)?;
        let mut tool = WEB_SEARCH.as_bytes().to_vec();
        // How many searches stand for how much context.
        let uses = match options.text("search_context_size").as_deref() {
            Some("low") => Some("1"),
            Some("medium") => Some("5"),
            Some("high") => Some("10"),
            _ => None,
        };
        if let Some(uses) = uses {
            member("max_uses", uses, &mut tool);
        }
        let inner =
            |members: &Members<'_>, name: &str| members.find(name).map(|raw| raw.get().to_owned());
        let place = inner(&options, "user_location").unwrap_or_default();
        let place = Members::parse(&place).unwrap_or_default();
        let near = inner(&place, "approximate").unwrap_or_default();
        let near = Members::parse(&near).unwrap_or_default();
        if !near.0.is_empty() {
            key("user_location", &mut tool);
            tool.extend_from_slice(b"{\"type\":\"approximate\"");
            for name in ["city", "region", "country", "timezone"] {
                if let Some(value) = near.find(name) {
                    member(name, value.get(), &mut tool);
                }
            }
            tool.push(b'}');
        }
        tool.push(b'}');
        if !self.json.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(&tool);
        Ok(())
    }

    /// Without tools a history of calls is refused: their names are offered again, and no call is let happen (E-24).
    fn rebuild(&mut self, source: &Source<'_>, notes: &mut Notes<'_>) -> Result<(), Error> {
        for (member, idle) in [("tool_choice", "\"none\""), ("parallel_tool_calls", "true")] {
            if source
                .request
                .member(member)
                .is_some_and(|value| value != idle)
            {
                notes.report.drop(source.mode, member, "needs tools.")?;
            }
        }
        let mut known: Vec<&str> = Vec::new();
        let calls = source
            .messages
            .iter()
            .flat_map(|message| message.calls.iter());
        for call in calls {
            if !known.contains(&call.name.as_ref()) {
                known.push(&call.name);
                self.open(Names(&notes.reply.names).wire(&call.name), None);
                self.json
                    .extend_from_slice(b",\"input_schema\":{\"type\":\"object\"}}");
            }
        }
        if !known.is_empty() {
            self.choice = Some("{\"type\":\"none\"}".to_owned());
            notes.report.fill("tools");
        }
        Ok(())
    }

    fn choose(&mut self, source: &Source<'_>, notes: &mut Notes<'_>) -> Result<(), Error> {
        let one_at_a_time = source.request.boolean("parallel_tool_calls")? == Some(false);
        let (kind, name) = match source.choice {
            Choice::Absent if !one_at_a_time => return Ok(()),
            Choice::None => {
                self.choice = Some("{\"type\":\"none\"}".to_owned());
                return Ok(());
            }
            Choice::Absent
            | Choice::Auto
            | Choice::Allowed {
                required: false, ..
            } => ("auto", None),
            Choice::Required | Choice::Allowed { required: true, .. } => ("any", None),
            Choice::Named(name) | Choice::Custom(name) => ("tool", Some(name)),
        };
        let can_force = source.target.caps.forced_tool_choice != Some(false);
        let (kind, name) = if kind == "auto" || can_force {
            (kind, name)
        } else {
            let why = "cannot force a call on this model.";
            notes.report.emulate(source.mode, "tool_choice", why)?;
            ("auto", None)
        };
        self.forced = kind != "auto";
        self.choice = Some(choice(
            kind,
            name.map(|name| Names(&notes.reply.names).wire(name)),
            one_at_a_time,
        ));
        Ok(())
    }
}

/// What a custom tool's description says as a function's, escaped: its grammar too.
pub(crate) fn custom_words(description: Option<Escaped<'_>>, format: Option<&RawValue>) -> String {
    let mut words = description.unwrap_or(Escaped::EMPTY).as_str().to_owned();
    if let Some(format) = format.filter(|format| format.get().contains("\"grammar\"")) {
        let mut grammar = Vec::new();
        crate::chat::json::escape(
            &format!("\n\nThe input must match this format: {}", format.get()),
            &mut grammar,
        );
        words.push_str(&String::from_utf8(grammar).unwrap_or_default());
    }
    words
}

/// A `tool_choice` object.
fn choice(kind: &str, name: Option<&str>, one_at_a_time: bool) -> String {
    let mut out = format!("{{\"type\":\"{kind}\"").into_bytes();
    if let Some(name) = name {
        member("name", &quoted(name), &mut out);
    }
    if one_at_a_time {
        member("disable_parallel_tool_use", "true", &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

pub(crate) fn is_allowed(choice: &Choice<'_>, tool: &Tool<'_>) -> bool {
    let (Choice::Allowed { names, .. }, Some(name)) = (choice, name(tool)) else {
        return true;
    };
    names.iter().map(Cow::as_ref).any(|allowed| allowed == name)
}
