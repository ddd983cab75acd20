//! Tools and the choice among them.

use std::borrow::Cow;

use crate::chat::json::{self, Members};
use crate::chat::tool::ToolKind;
use crate::chat::{Choice, Error, Escaped, Tool};

use super::draft::Draft;

/// The tools as the provider takes them.
pub(super) fn offer(draft: &mut Draft<'_>) -> Result<(), Error> {
    let offers =
        |raw: Option<&str>| raw.is_some_and(|raw| raw.trim_start_matches('[').trim_start() != "]");
    draft.has_tools = offers(draft.member("tools")) || offers(draft.member("functions"));
    if !offers(draft.member("tools")) {
        draft.omit("tools");
    }
    if !draft.has_tools {
        for name in ["tool_choice", "parallel_tool_calls"] {
            draft.drop(
                name,
                "means nothing without tools, and providers refuse it.",
            )?;
        }
        return Ok(());
    }
    let Some(raw) = draft.member("tools") else {
        return Ok(());
    };
    let quirks = draft.target.quirks;
    let find = |word: &[u8]| memchr::memmem::find(raw.as_bytes(), word).is_some();
    let custom = !quirks.custom_tools && find(b"\"custom\"");
    let strict = !quirks.strict_tools && find(b"\"strict\"");
    if custom || strict {
        let tools = draft.request.tools()?;
        let list = rewrite(draft, &tools)?;
        draft.put("tools", list);
    }
    Ok(())
}

fn rewrite(draft: &mut Draft<'_>, tools: &[Tool<'_>]) -> Result<String, Error> {
    let quirks = draft.target.quirks;
    let mode = draft.mode();
    let mut out = vec![b'['];
    for (at, tool) in tools.iter().enumerate() {
        json::comma(&mut out);
        match &tool.kind {
            ToolKind::Custom {
                name,
                description,
                format,
            } if !quirks.custom_tools => {
                let param = format!("tools[{at}].custom");
                draft
                    .report
                    .emulate(mode, param, "is not supported by this provider.")?;
                let grammar = format.map(serde_json::value::RawValue::get);
                as_function(name, *description, grammar, &mut out);
                draft.reply.custom_tools.push(name.clone().into_owned());
            }
            ToolKind::Function {
                strict: Some(strict),
                ..
            } if !quirks.strict_tools => {
                if *strict {
                    let param = format!("tools[{at}].function.strict");
                    draft
                        .report
                        .drop(mode, param, "is not supported by this provider.")?;
                }
                without_strict(tool.raw.get(), &mut out);
            }
            ToolKind::Custom { .. } | ToolKind::Function { .. } | ToolKind::Server(_) => {
                out.extend_from_slice(tool.raw.get().as_bytes());
            }
        }
    }
    out.push(b']');
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// A free text tool as a function of one string; its grammar goes into the description.
fn as_function(
    name: &str,
    description: Option<Escaped<'_>>,
    format: Option<&str>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"type\":\"function\",\"function\":{\"name\":");
    json::quote(name, out);
    let mut text = description
        .map(|text| text.decode().into_owned())
        .unwrap_or_default();
    if let Some(format) = format.filter(|format| format.contains("grammar")) {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str("The input must match this grammar: ");
        text.push_str(format);
    }
    if !text.is_empty() {
        json::key("description", out);
        json::quote(&text, out);
    }
    out.extend_from_slice(
        b",\"parameters\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}}}",
    );
}

fn without_strict(tool: &str, out: &mut Vec<u8>) {
    let members = Members::parse(tool).unwrap_or_default();
    out.push(b'{');
    for (name, value) in &members.0 {
        if name == "strict" {
            continue;
        }
        if name != "function" {
            json::member(name, value.get(), out);
            continue;
        }
        json::key("function", out);
        out.push(b'{');
        let inner = Members::parse(value.get()).unwrap_or_default();
        for (name, value) in inner.0.iter().filter(|(name, _)| name != "strict") {
            json::member(name, value.get(), out);
        }
        out.push(b'}');
    }
    out.push(b'}');
}

/// The choice among tools as the provider takes it.
pub(super) fn choice(draft: &mut Draft<'_>) -> Result<(), Error> {
    let (quirks, caps) = (draft.target.quirks, draft.target.caps);
    let forced = caps.forced_tool_choice != Some(false);
    let is_openai = quirks.required_choice == "required"
        && quirks.named_choice
        && quirks.allowed_tools
        && quirks.custom_tools
        && forced;
    if is_openai || draft.member("tool_choice").is_none() {
        return Ok(());
    }
    let choice = draft.request.tool_choice()?;
    if !forced {
        return unforced(draft, &choice);
    }
    match choice {
        Choice::Absent | Choice::None | Choice::Auto => Ok(()),
        Choice::Required => required(draft),
        Choice::Named(name) if quirks.named_choice => named(draft, &name),
        Choice::Custom(name) if quirks.custom_tools => named(draft, &name),
        Choice::Custom(name) if quirks.named_choice => {
            let json = format!(
                "{{\"type\":\"function\",\"function\":{{\"name\":{}}}}}",
                json::quoted(&name)
            );
            draft.put("tool_choice", json);
            Ok(())
        }
        Choice::Named(name) | Choice::Custom(name) => {
            narrow(draft, &[name])?;
            required(draft)
        }
        Choice::Allowed { .. } if quirks.allowed_tools => Ok(()),
        Choice::Allowed {
            required: must,
            names,
        } => {
            narrow(draft, &names)?;
            if must {
                return required(draft);
            }
            draft.put("tool_choice", "\"auto\"".to_owned());
            Ok(())
        }
    }
}

/// A named choice that the provider takes stays as the client wrote it.
fn named(draft: &Draft<'_>, name: &str) -> Result<(), Error> {
    let known = draft
        .request
        .tools()?
        .iter()
        .any(|tool| name_of(tool) == Some(name));
    if known {
        return Ok(());
    }
    Err(Error::value(
        "tool_choice",
        format!("'tool_choice' names '{name}', which is not among 'tools'."),
    ))
}

/// "Some tool must be called", in the provider's word.
fn required(draft: &mut Draft<'_>) -> Result<(), Error> {
    let word = &draft.target.quirks.required_choice;
    if word.is_empty() {
        let mode = draft.mode();
        draft
            .report
            .emulate(mode, "tool_choice", "cannot be forced at this provider.")?;
        draft.omit("tool_choice");
    } else {
        let json = json::quoted(word);
        draft.put("tool_choice", json);
    }
    Ok(())
}

/// A model that cannot be forced decides itself.
fn unforced(draft: &mut Draft<'_>, choice: &Choice<'_>) -> Result<(), Error> {
    match choice {
        Choice::Absent | Choice::None | Choice::Auto => return Ok(()),
        Choice::Named(name) | Choice::Custom(name) => narrow(draft, std::slice::from_ref(name))?,
        Choice::Allowed { names, .. } => narrow(draft, names)?,
        Choice::Required => {}
    }
    let mode = draft.mode();
    draft
        .report
        .emulate(mode, "tool_choice", "cannot be forced on this model.")?;
    draft.put("tool_choice", "\"auto\"".to_owned());
    Ok(())
}

/// Offers only the named tools.
fn narrow(draft: &mut Draft<'_>, names: &[Cow<'_, str>]) -> Result<(), Error> {
    let tools = draft.request.tools()?;
    let kept: Vec<Tool<'_>> = tools
        .into_iter()
        .filter(|tool| name_of(tool).is_some_and(|name| names.iter().any(|known| known == name)))
        .collect();
    if kept.is_empty() {
        return Err(Error::value(
            "tool_choice",
            "'tool_choice' names no tool of 'tools'.",
        ));
    }
    let mode = draft.mode();
    draft
        .report
        .emulate(mode, "tool_choice", "is emulated by offering fewer tools.")?;
    draft.reply.custom_tools.clear();
    let list = rewrite(draft, &kept)?;
    draft.put("tools", list);
    Ok(())
}

fn name_of<'t>(tool: &'t Tool<'_>) -> Option<&'t str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::Server(_) => None,
    }
}
