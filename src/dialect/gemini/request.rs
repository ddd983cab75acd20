//! A chat request as a `generateContent` body and path.

use crate::chat::{Error, Message, Request, json};
use crate::dialect::codec::{Context, Encoded, Reply, Report, Shape, Target, refused};
use crate::dialect::params::sweep;
use crate::dialect::place::segment;

use super::contents;
use super::format::{self, Format};
use super::job::Job;
use super::model::Model;
use super::system::System;
use super::tools::Plan;
use super::{config, labels, params};

/// Translates a request.
pub(super) fn encode(
    request: &Request,
    target: &Target<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> Result<Encoded, Error> {
    let mut job = Job {
        request,
        target,
        mode: context.mode,
        recall: context.recall,
        model: Model::read(target.model),
        report: Report::default(),
    };
    sweep(request, &params::TABLE, job.mode, &mut job.report)?;
    let messages = request.messages()?;
    let plan = Plan::read(&mut job)?;
    let format = format::read(&mut job, &plan)?;
    out.reserve(request.body().len());
    body(&mut job, &messages, &plan, &format, out)?;
    Ok(Encoded {
        path: path(target, request.stream),
        headers: Vec::new(),
        shape: if request.stream {
            Shape::Stream
        } else {
            Shape::Whole
        },
        report: job.report,
        reply: Reply {
            names: plan.names,
            custom_tools: plan.custom,
            wrapped_tools: plan.wrapped,
            json_tool: None,
            strip_fences: format.by_instruction(),
            legacy_functions: request.member("tools").is_none()
                && request.member("functions").is_some(),
            answers: request.answers_call(),
            stream: request.stream,
            include_usage: request.include_usage,
            ..Reply::default()
        },
    })
}

/// Everything that stays the same from turn to turn comes first, the growing contents last.
fn body(
    job: &mut Job<'_>,
    messages: &[Message<'_>],
    plan: &Plan<'_>,
    format: &Format<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.push(b'{');
    let system = System::read(job, messages, format.instruction())?;
    system.write(out);
    plan.write(job, out)?;
    config::write(job, format, out)?;
    native(job, plan, &system, out)?;
    json::key("contents", out);
    contents::write(job, plan, messages, &system, out)?;
    out.push(b'}');
    Ok(())
}

/// Google's own members that a client may send through us, and the service tier.
fn native(
    job: &mut Job<'_>,
    plan: &Plan<'_>,
    system: &System<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if let Some(raw) = job.member("safetySettings")? {
        json::member("safetySettings", raw, out);
    }
    if let Some(raw) = job.member("cachedContent")? {
        if !plan.is_empty() || system.has_instruction() {
            let why = "already holds the system instruction and the tools: send neither beside it.";
            return Err(refused("cachedContent", why));
        }
        json::member("cachedContent", raw, out);
    }
    labels::write(job, out)?;
    service_tier(job, out)
}

fn service_tier(job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if job.member("service_tier")?.is_none() {
        return Ok(());
    }
    let asked = job.request.text("service_tier")?.unwrap_or_default();
    let known = &job.target.quirks.service_tiers;
    let tier = match asked.as_ref() {
        "auto" => return Ok(()),
        word if !known.is_empty() => known.get(word).map(String::as_str),
        "default" => Some("standard"),
        "flex" => Some("flex"),
        "priority" | "fast" => Some("priority"),
        _ => None,
    };
    match tier {
        Some(tier) => json::member("serviceTier", &json::quoted(tier), out),
        None => job.drop("service_tier", "has no such tier here.")?,
    }
    Ok(())
}

/// Where the request goes.
fn path(target: &Target<'_>, stream: bool) -> String {
    let method = if stream {
        ":streamGenerateContent?alt=sse"
    } else {
        ":generateContent"
    };
    place(target, method)
}

/// A method of the model, whose name is encoded as one segment of the path.
pub(super) fn place(target: &Target<'_>, method: &str) -> String {
    let model = target.model.strip_prefix("models/");
    let mut path = target.quirks.models_path.clone();
    segment(model.unwrap_or(target.model), &mut path);
    path.push_str(method);
    path
}
