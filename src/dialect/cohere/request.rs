//! A chat request as a Chat v2 request.
//!
//! The members come in a fixed order with `messages` last, so that the body of a conversation's next turn begins with
//! the body of this one.

use crate::chat::json::{key, member, quoted};
use crate::chat::request::unsupported;
use crate::chat::{Error, Request};

use super::super::codec::{Context, Encoded, Reply, Report, Shape, Target};
use super::super::params as table;
use super::format::{self, Format};
use super::messages::Writer;
use super::params::PARAMS;
use super::tools::{self, Offer, Source};
use super::{sampling, thinking};

/// Members of the provider's own that pass as they are. `thinking` and `strict_tools` are written by their own rules.
const NATIVE: [&str; 4] = ["documents", "citation_options", "safety_mode", "priority"];

/// Translates a request.
///
/// # Errors
/// What the target cannot honour, or what is malformed.
pub(super) fn encode(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> Result<Encoded, Error> {
    let mut report = Report::default();
    table::sweep(request, &PARAMS, context.mode, &mut report)?;
    check(request)?;
    let list = request.tools()?;
    let choice = request.tool_choice()?;
    let messages = request.messages()?;
    let mut reply = reply(request, tools::fit_names(&list, &choice, &messages));
    let source = Source {
        request,
        target,
        mode: context.mode,
        tools: &list,
        choice: &choice,
    };
    let offer = Offer::make(&source, &mut reply, &mut report)?;
    let format = format::plan(
        request,
        target,
        context.mode,
        !offer.is_empty(),
        &mut report,
    )?;
    reply.strip_fences = format.line().is_some();
    out.push(b'{');
    head(request, target, context, out, &mut report)?;
    if let Format::Native(format) = &format {
        member("response_format", format, out);
    }
    offer.write(out);
    key("messages", out);
    let mut writer = Writer {
        target,
        context,
        reply: &reply,
        report: &mut report,
    };
    writer.write(&messages, format.line(), out)?;
    out.push(b'}');
    Ok(Encoded {
        path: "/v2/chat".to_owned(),
        headers: Vec::new(),
        shape: if request.stream {
            Shape::Stream
        } else {
            Shape::Whole
        },
        report,
        reply,
    })
}

/// What the decoder must know before anything is translated.
fn reply(request: &Request, names: Vec<(String, String)>) -> Reply {
    Reply {
        names,
        legacy_functions: request.member("functions").is_some()
            && request.member("tools").is_none(),
        answers: request.answers_call(),
        stream: request.stream,
        include_usage: request.include_usage,
        ..Reply::default()
    }
}

/// What cannot be honoured in any mode.
fn check(request: &Request) -> Result<(), Error> {
    if request.n > 1 {
        let why = "must be 1: this provider gives one choice for a prompt.";
        return Err(unsupported("n", why));
    }
    let audio = request
        .member("modalities")
        .is_some_and(|raw| raw.contains("\"audio\""));
    if audio {
        let why = "must be [\"text\"]: this provider makes no audio.";
        return Err(unsupported("modalities", why));
    }
    Ok(())
}

/// Writes everything but format, tools and messages.
fn head(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
    report: &mut Report,
) -> Result<(), Error> {
    let mode = context.mode;
    member("model", &quoted(target.model), out);
    member("stream", if request.stream { "true" } else { "false" }, out);
    let limit = sampling::limit(request, target.caps.max_output, mode, report)?;
    if let Some(limit) = limit {
        member("max_tokens", &limit.to_string(), out);
    }
    let reasoning = &target.caps.reasoning;
    if let Some(thinking) = thinking::plan(request, reasoning, limit, mode, report)? {
        member("thinking", &thinking, out);
    }
    sampling::write(request, mode, report, out)?;
    sampling::stop(request, mode, report, out)?;
    for name in NATIVE {
        if let Some(raw) = request.member(name) {
            member(name, raw, out);
        }
    }
    for (name, json) in &target.quirks.add {
        member(name, json, out);
    }
    Ok(())
}
