//! Tools as function declarations, the choice among them, and the names both sides know them by.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::tool::ToolKind;
use crate::chat::{Choice, Error, Escaped, Members, Tool, json};
use crate::dialect::codec::{Mode, refused};
use crate::dialect::ids::fit_names;

use super::job::{Job, object};
use super::schema;

/// The longest name of a function.
const MAX_NAME: usize = 128;

/// Google's own tools, which a client may pass through.
const NATIVE: [&str; 8] = [
    "googleSearch",
    "google_search",
    "urlContext",
    "url_context",
    "codeExecution",
    "code_execution",
    "googleMaps",
    "fileSearch",
];

/// The tools of a request and what they are called there.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    tools: Vec<Tool<'a>>,
    choice: Choice<'a>,
    search: bool,
    /// Changed names: theirs, ours.
    pub(super) names: Vec<(String, String)>,
    /// Ours, of free text tools.
    pub(super) custom: Vec<String>,
    /// Ours, of tools whose arguments are wrapped in an object.
    pub(super) wrapped: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(super) fn read(job: &mut Job<'a>) -> Result<Self, Error> {
        let request = job.request;
        let mut plan = Self {
            tools: request.tools()?,
            choice: request.tool_choice()?,
            search: web_search(job)?,
            names: Vec::new(),
            custom: Vec::new(),
            wrapped: Vec::new(),
        };
        for (at, tool) in plan.tools.iter().enumerate() {
            match &tool.kind {
                ToolKind::Function {
                    name, parameters, ..
                } => {
                    if parameters.is_some_and(|raw| !takes_object(raw)) {
                        plan.wrapped.push(name.to_string());
                    }
                }
                ToolKind::Custom { name, .. } => {
                    let why = "is a free text tool, which this provider has not.";
                    job.emulate(format!("tools[{at}]"), why)?;
                    plan.custom.push(name.to_string());
                }
                ToolKind::Server(kind) => known_native(at, kind, tool.raw)?,
            }
            if tool.cache.is_some() {
                job.drop("cache_control", "has no counterpart: caching is implicit.")?;
            }
        }
        plan.names = fitted(&plan.function_names());
        plan.parallel(job)?;
        Ok(plan)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.tools.is_empty() && !self.search
    }

    pub(super) fn has_functions(&self) -> bool {
        self.tools.iter().any(|tool| function_name(tool).is_some())
    }

    /// What a tool of the client's is called there, also one that only the history knows.
    pub(super) fn sent_name<'n>(&'n self, name: &'n str) -> Cow<'n, str> {
        if let Some((theirs, _)) = self.names.iter().find(|(_, ours)| ours == name) {
            return Cow::Borrowed(theirs);
        }
        match fitted(&[name]).pop() {
            Some((theirs, _)) => Cow::Owned(theirs),
            None => Cow::Borrowed(name),
        }
    }

    pub(super) fn write(&self, job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.is_empty() {
            return self.idle_choice(job);
        }
        json::key("tools", out);
        out.push(b'[');
        if self.has_functions() {
            out.extend_from_slice(b"{\"functionDeclarations\":[");
            for (at, tool) in self.tools.iter().enumerate() {
                self.declare(job, at, tool, out)?;
            }
            out.extend_from_slice(b"]}");
        }
        for tool in &self.tools {
            if let ToolKind::Server(_) = &tool.kind {
                json::comma(out);
                out.extend_from_slice(tool.raw.get().as_bytes());
            }
        }
        if self.search {
            json::comma(out);
            out.extend_from_slice(b"{\"googleSearch\":{}}");
        }
        out.push(b']');
        self.write_config(job, out)
    }

    fn declare(
        &self,
        job: &Job<'_>,
        at: usize,
        tool: &Tool<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Some(name) = function_name(tool) else {
            return Ok(());
        };
        json::comma(out);
        out.extend_from_slice(b"{\"name\":");
        json::quote(&self.sent_name(name), out);
        match &tool.kind {
            ToolKind::Function {
                description,
                parameters,
                ..
            } => {
                if let Some(text) = description {
                    json::key("description", out);
                    text.write_quoted(out);
                }
                if let Some(raw) = parameters {
                    self.parameters(job, at, name, raw, out)?;
                }
            }
            ToolKind::Custom {
                description,
                format,
                ..
            } => free_text(description.map(Escaped::decode), *format, job, out),
            ToolKind::Server(_) => {}
        }
        out.push(b'}');
        Ok(())
    }

    fn parameters(
        &self,
        job: &Job<'_>,
        at: usize,
        name: &str,
        raw: &RawValue,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let wrapped = self.wrapped.iter().any(|known| known == name);
        if job.model.has_old_schemas() {
            let mut old = schema::old(raw, &format!("tools[{at}].function.parameters"))?;
            if wrapped {
                old = schema::wrap_value(&old);
            }
            // An object without properties is refused in this field.
            if !schema::is_empty_object(&old) {
                json::member("parameters", &old.to_string(), out);
            }
            return Ok(());
        }
        json::key("parametersJsonSchema", out);
        let modern = schema::modern(raw);
        if wrapped {
            out.extend_from_slice(schema::WRAP_OPEN);
            out.extend_from_slice(modern.as_bytes());
            out.extend_from_slice(schema::WRAP_SHUT);
        } else {
            out.extend_from_slice(modern.as_bytes());
        }
        Ok(())
    }

    fn write_config(&self, job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut config = vec![b'{'];
        if !self.has_functions() {
            self.idle_choice(job)?;
        } else if let Some((mode, names)) = self.calling(job)? {
            json::key("functionCallingConfig", &mut config);
            config.extend_from_slice(format!("{{\"mode\":\"{mode}\"").as_bytes());
            if !names.is_empty() {
                json::key("allowedFunctionNames", &mut config);
                config.push(b'[');
                for name in names {
                    json::comma(&mut config);
                    json::quote(&self.sent_name(name), &mut config);
                }
                config.push(b']');
            }
            config.push(b'}');
        }
        // Search beside functions needs the third generation to say which calls it ran itself.
        if self.search && self.has_functions() {
            if !job.model.is_third() || !job.target.quirks.search_beside_functions {
                let why = "cannot be combined with functions for this model here.";
                return Err(refused("web_search_options", why));
            }
            json::member("includeServerSideToolInvocations", "true", &mut config);
        }
        if config.len() > 1 {
            config.push(b'}');
            json::key("toolConfig", out);
            out.extend_from_slice(&config);
        }
        Ok(())
    }

    /// The mode and the names it is narrowed to.
    fn calling(&self, job: &mut Job<'_>) -> Result<Option<(&'static str, Vec<&str>)>, Error> {
        let forced = matches!(
            self.choice,
            Choice::Required | Choice::Named(_) | Choice::Custom(_)
        );
        if forced && job.target.caps.forced_tool_choice == Some(false) {
            job.emulate("tool_choice", "cannot be forced for this model.")?;
            return Ok(Some(("AUTO", Vec::new())));
        }
        let strict = self.strict(job)?;
        Ok(match &self.choice {
            Choice::Absent | Choice::Auto if strict => Some(("VALIDATED", Vec::new())),
            Choice::Absent => None,
            Choice::Auto => Some(("AUTO", Vec::new())),
            Choice::None => Some(("NONE", Vec::new())),
            Choice::Required => Some(("ANY", Vec::new())),
            Choice::Named(name) | Choice::Custom(name) => Some(("ANY", vec![name.as_ref()])),
            Choice::Allowed { required, names } => {
                let mode = if *required { "ANY" } else { "VALIDATED" };
                Some((mode, names.iter().map(Cow::as_ref).collect()))
            }
        })
    }

    /// Whether any tool is strict: `VALIDATED` is the nearest to that, for all tools together.
    fn strict(&self, job: &mut Job<'_>) -> Result<bool, Error> {
        let mut any = false;
        for (at, tool) in self.tools.iter().enumerate() {
            let ToolKind::Function {
                strict: Some(true), ..
            } = &tool.kind
            else {
                continue;
            };
            let name = format!("tools[{at}].strict");
            if job.mode == Mode::Drop || job.model.has_old_schemas() {
                job.drop(name, "has no counterpart here.")?;
            } else {
                job.emulate(name, "has no exact counterpart here.")?;
                any = true;
            }
        }
        Ok(any)
    }

    /// A choice without functions to choose from is a 400 there (E-75).
    fn idle_choice(&self, job: &mut Job<'_>) -> Result<(), Error> {
        match self.choice {
            Choice::Absent | Choice::None | Choice::Auto => Ok(()),
            Choice::Required | Choice::Named(_) | Choice::Custom(_) | Choice::Allowed { .. } => {
                job.drop("tool_choice", "has no functions to choose from.")
            }
        }
    }

    fn parallel(&self, job: &mut Job<'_>) -> Result<(), Error> {
        let asked = match job.member("parallel_tool_calls")? {
            Some(_) => job.request.boolean("parallel_tool_calls")?,
            None => None,
        };
        if asked == Some(false) && self.has_functions() {
            job.drop("parallel_tool_calls", "cannot be turned off here.")?;
        }
        Ok(())
    }

    fn function_names(&self) -> Vec<&str> {
        self.tools.iter().filter_map(function_name).collect()
    }
}

fn function_name<'t>(tool: &'t Tool<'_>) -> Option<&'t str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::Server(_) => None,
    }
}

/// A tool of another provider would be skipped there in silence (E-31).
fn known_native(at: usize, kind: &str, raw: &RawValue) -> Result<(), Error> {
    let members = object(&format!("tools[{at}]"), raw.get())?;
    let native = |(name, _): &(Cow<'_, str>, &RawValue)| NATIVE.contains(&name.as_ref());
    if kind.is_empty() && members.0.len() == 1 && members.0.iter().all(native) {
        return Ok(());
    }
    let why = format!("'{kind}' is no tool of this provider.");
    Err(refused(&format!("tools[{at}].type"), &why))
}

fn web_search(job: &mut Job<'_>) -> Result<bool, Error> {
    let Some(raw) = job.member("web_search_options")? else {
        return Ok(false);
    };
    let options: Members<'_> = object("web_search_options", raw)?;
    job.emulate("web_search_options", "is another search here.")?;
    for name in ["search_context_size", "user_location"] {
        if options.find(name).is_some() {
            let name = format!("web_search_options.{name}");
            job.drop(name, "has no counterpart here.")?;
        }
    }
    Ok(true)
}

/// Whether a schema's root is an object, or at least does not say otherwise.
fn takes_object(raw: &RawValue) -> bool {
    Members::parse(raw.get())
        .ok()
        .and_then(|members| members.text("type"))
        .is_none_or(|kind| kind.eq_ignore_ascii_case("object"))
}

/// A free text tool as a function of one string.
fn free_text(
    description: Option<Cow<'_, str>>,
    format: Option<&RawValue>,
    job: &Job<'_>,
    out: &mut Vec<u8>,
) {
    let mut text = description.unwrap_or_default().into_owned();
    if let Some(format) = format {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("The input must hold to this grammar: ");
        text.push_str(format.get());
    }
    if !text.is_empty() {
        json::member("description", &json::quoted(&text), out);
    }
    let field = if job.model.has_old_schemas() {
        "parameters"
    } else {
        "parametersJsonSchema"
    };
    let input =
        r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
    json::member(field, input, out);
}

/// Names that must change: a letter or `_` first, then letters, digits and `_ . : -`, 128 at most.
fn fitted(names: &[&str]) -> Vec<(String, String)> {
    let mut led: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let mut fit = (*name).to_owned();
        while !starts_well && (fit == *name || names.contains(&fit.as_str()) || led.contains(&fit))
        {
            fit.insert(0, '_');
        }
        led.push(fit);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    let pairs = fit_names(led.iter().map(String::as_str), fits, MAX_NAME);
    let sent = |led: &str| {
        let pair = pairs.iter().find(|(_, before)| before == led);
        pair.map_or_else(|| led.to_owned(), |(theirs, _)| theirs.clone())
    };
    names
        .iter()
        .zip(&led)
        .map(|(name, led)| (sent(led), (*name).to_owned()))
        .filter(|(theirs, ours)| theirs != ours)
        .collect()
}
