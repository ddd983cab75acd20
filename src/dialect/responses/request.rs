//! A chat request as a request for a response.
//!
//! The members come in a fixed order with `input` last, so that the body of a conversation's next turn begins with the
//! body of this one.

use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::request::unsupported;
use crate::chat::{Error, Escaped, Request};

use super::super::caps::{Kind, Sampling};
use super::super::codec::{Context, Encoded, Reply, Shape, Target};
use super::super::params as table;
use super::input::Input;
use super::job::Job;
use super::params::PARAMS;
use super::reasoning::Plan;
use super::tools::Offer;
use super::{format, reasoning};

/// The smallest output limit that the provider takes.
const SMALLEST_OUTPUT: u64 = 16;

/// Members that this format has under the same name and in the same shape.
const SAME: [&str; 7] = [
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "moderation",
];

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
    let mut job = Job::new(request, target, context);
    table::sweep(request, &PARAMS, context.mode, &mut job.report)?;
    check(request)?;
    let messages = request.messages()?;
    let list = request.tools()?;
    let offer = Offer::make(&mut job, &list)?;
    let plan = reasoning::plan(&mut job)?;
    out.push(b'{');
    head(&mut job, &plan, out)?;
    offer.write(out);
    for (name, json) in &target.quirks.add {
        member(name, json, out);
    }
    key("input", out);
    out.push(b'[');
    Input::new(&mut job).write(&messages, out)?;
    out.extend_from_slice(b"]}");
    Ok(Encoded {
        path: target.quirks.versioned("/responses"),
        headers: Vec::new(),
        shape: if request.stream {
            Shape::Stream
        } else {
            Shape::Whole
        },
        report: job.report,
        reply: reply(request),
    })
}

fn reply(request: &Request) -> Reply {
    Reply {
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
        let why = "must be 1: this model gives one choice for such a request.";
        return Err(unsupported("n", why));
    }
    let speaks = request
        .member("modalities")
        .is_some_and(|raw| raw.contains("\"audio\""));
    if speaks {
        let why = "must be [\"text\"]: this model makes no audio for such a request.";
        return Err(unsupported("modalities", why));
    }
    Ok(())
}

/// Writes everything but tools and input.
fn head(job: &mut Job<'_>, plan: &Plan, out: &mut Vec<u8>) -> Result<(), Error> {
    member("model", &quoted(job.target.model), out);
    stream(job, out)?;
    member("store", "false", out);
    include(job, plan, out)?;
    limit(job, out)?;
    if let Some(reasoning) = &plan.json {
        member("reasoning", reasoning, out);
    }
    format::text(job, out)?;
    for name in ["temperature", "top_p"] {
        if let Some(raw) = sampled(job, plan, name)? {
            member(name, raw, out);
        }
    }
    service_tier(job, out)?;
    for name in SAME {
        job.pass(name, out)?;
    }
    Ok(())
}

fn stream(job: &Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    if !job.request.stream {
        return Ok(());
    }
    member("stream", "true", out);
    let Some(raw) = job.request.member("stream_options") else {
        return Ok(());
    };
    let shape = |_| Error::value("stream_options", "'stream_options' must be an object.");
    let options = Members::parse(raw).map_err(shape)?;
    if let Some(said) = options.find("include_obfuscation") {
        key("stream_options", out);
        out.push(b'{');
        member("include_obfuscation", said.get(), out);
        out.push(b'}');
    }
    Ok(())
}

/// What the answer shall hold beyond the plain: reasoning to be put back, as nothing is stored, and log probabilities.
fn include(job: &mut Job<'_>, plan: &Plan, out: &mut Vec<u8>) -> Result<(), Error> {
    let wanted = job.request.boolean("logprobs")? == Some(true);
    let probable = wanted && sampled(job, plan, "logprobs")?.is_some();
    let mut list = Vec::new();
    // Models that do not reason refuse to be asked for it.
    if job.target.caps.reasoning.kind != Kind::None {
        list.extend_from_slice(b"\"reasoning.encrypted_content\"");
    }
    if probable {
        comma(&mut list);
        list.extend_from_slice(b"\"message.output_text.logprobs\"");
    }
    if !list.is_empty() {
        key("include", out);
        out.push(b'[');
        out.extend_from_slice(&list);
        out.push(b']');
    }
    if let Some(raw) = sampled(job, plan, "top_logprobs")?.filter(|_| probable) {
        member("top_logprobs", raw, out);
    }
    Ok(())
}

fn limit(job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(wanted) = job.request.max_output else {
        return Ok(());
    };
    if wanted < SMALLEST_OUTPUT {
        let named = job.request.member("max_completion_tokens").is_some();
        let name = if named {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        job.clamp(name, "is less than the smallest limit here, 16.")?;
    }
    let tokens = wanted.max(SMALLEST_OUTPUT);
    member("max_output_tokens", &tokens.to_string(), out);
    Ok(())
}

/// A member that bears on sampling, if the model takes it in this request.
fn sampled<'a>(
    job: &mut Job<'a>,
    plan: &Plan,
    name: &'static str,
) -> Result<Option<&'a str>, Error> {
    let Some(raw) = job.request.member(name) else {
        return Ok(None);
    };
    let is_rate = matches!(name, "temperature" | "top_p");
    let caps = job.target.caps;
    let why = if !is_rate && caps.logprobs == Some(false) {
        Some("is not given by this model.")
    } else {
        match caps.sampling {
            Sampling::None if is_rate => Some("is fixed for this model."),
            Sampling::EffortNoneOnly if plan.reasons => {
                Some("is taken by this model only with reasoning_effort \"none\".")
            }
            Sampling::IgnoredWhileThinking if plan.reasons && is_rate => {
                Some("has no effect on this model while it reasons.")
            }
            Sampling::None
            | Sampling::All
            | Sampling::EffortNoneOnly
            | Sampling::IgnoredWhileThinking => None,
        }
    };
    let Some(why) = why else {
        return job.member(name);
    };
    let is_default = match name {
        "logprobs" => raw == "false",
        "top_logprobs" => raw == "0",
        _ => raw
            .parse::<f64>()
            .is_ok_and(|value| (value - 1.0).abs() < f64::EPSILON),
    };
    if !is_default {
        job.drop(name, why)?;
    }
    Ok(None)
}

/// The service tier, by the provider's own name for it.
fn service_tier(job: &mut Job<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = job.member("service_tier")? else {
        return Ok(());
    };
    let tiers = &job.target.quirks.service_tiers;
    if tiers.is_empty() {
        member("service_tier", raw, out);
        return Ok(());
    }
    let word = Escaped::quoted(raw)
        .map(Escaped::decode)
        .unwrap_or_default();
    match tiers.get(word.as_ref()) {
        Some(theirs) => member("service_tier", &quoted(theirs), out),
        None => job.drop(
            "service_tier",
            "names a tier that this provider does not have.",
        )?,
    }
    Ok(())
}
