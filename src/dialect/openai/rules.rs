//! Rules on single members: numbers, limits, names.

use crate::chat::Error;
use crate::chat::json::{self, Members, elements};
use crate::chat::{Escaped, request};

use super::super::caps::Sampling;
use super::super::codec::refused;
use super::draft::Draft;

/// Several choices, where only one is given.
pub(super) fn choices(draft: &mut Draft<'_>) -> Result<(), Error> {
    let single = draft.target.quirks.single_choice || draft.target.caps.n == Some(false);
    if single && draft.request.n > 1 {
        return Err(refused(
            "n",
            "must be 1: this model gives one choice per request.",
        ));
    }
    Ok(())
}

/// Members that the provider or the model refuses.
pub(super) fn refused_members(draft: &mut Draft<'_>) -> Result<(), Error> {
    let (quirks, caps) = (draft.target.quirks, draft.target.caps);
    let listed = quirks.drop.iter().chain(&caps.refuses);
    let seed = (caps.seed == Some(false)).then_some("seed");
    let logprobs = ["logprobs", "top_logprobs"]
        .into_iter()
        .filter(|_| caps.logprobs == Some(false));
    let names = listed.map(String::as_str).chain(seed).chain(logprobs);
    for name in names {
        let Some(value) = draft.member(name).filter(|_| !draft.is_renamed(name)) else {
            continue;
        };
        too_much_to_lose(name, value)?;
        if is_default(name, value) {
            draft.omit(name.to_owned());
        } else {
            draft.drop(name, "is not supported by this model or its provider.")?;
        }
    }
    Ok(())
}

/// A member that means too much to be left out: a client would not get what it asked for.
fn too_much_to_lose(name: &str, value: &str) -> Result<(), Error> {
    let is_plain = match name {
        "n" => value == "1",
        "response_format" => value.contains("\"text\""),
        "modalities" => !value.contains("\"audio\"") && !value.contains("\"image\""),
        "tools" | "functions" => value == "[]",
        "audio" => false,
        _ => true,
    };
    if is_plain {
        return Ok(());
    }
    Err(refused(
        name,
        "is not supported by this model or its provider, and cannot be left out.",
    ))
}

/// Whether leaving a member out changes nothing.
fn is_default(name: &str, value: &str) -> bool {
    let number = || value.parse::<f64>().ok();
    match name {
        "presence_penalty" | "frequency_penalty" => number() == Some(0.0),
        "temperature" | "top_p" | "n" => number() == Some(1.0),
        "logprobs" | "store" => value == "false",
        "logit_bias" | "metadata" => value == "{}",
        "tools" | "functions" => value == "[]",
        "response_format" | "modalities" => true,
        _ => false,
    }
}

/// `temperature`, `top_p`, `top_k` and the log probabilities.
pub(super) fn sampling(draft: &mut Draft<'_>) -> Result<(), Error> {
    let reasons = reasons(draft);
    let (names, why): (&[&str], &str) = match draft.target.caps.sampling {
        Sampling::None => (
            &["temperature", "top_p", "top_k"],
            "is fixed for this model.",
        ),
        Sampling::EffortNoneOnly if reasons => (
            &["temperature", "top_p", "top_k", "logprobs", "top_logprobs"],
            "is taken by this model only with reasoning_effort \"none\".",
        ),
        Sampling::IgnoredWhileThinking if reasons => (
            &[
                "temperature",
                "top_p",
                "top_k",
                "presence_penalty",
                "frequency_penalty",
            ],
            "has no effect on this model while it reasons.",
        ),
        Sampling::All | Sampling::EffortNoneOnly | Sampling::IgnoredWhileThinking => (&[], ""),
    };
    for name in names {
        match draft.member(name) {
            Some(value) if is_default(name, value) => draft.omit(*name),
            Some(_) => draft.drop(name, why)?,
            None => {}
        }
    }
    temperature(draft)
}

/// Whether the model will reason: as it is told, else as it does by itself.
pub(super) fn reasons(draft: &Draft<'_>) -> bool {
    draft.target.caps.reasoning.happens(draft.effort)
}

fn temperature(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(max) = draft.target.quirks.temperature_max_milli else {
        return Ok(());
    };
    let highest = f64::from(max) / 1000.0;
    let value = draft
        .member("temperature")
        .and_then(|raw| raw.parse::<f64>().ok());
    if value.is_some_and(|value| value > highest) {
        let mode = draft.mode();
        draft
            .report
            .clamp(mode, "temperature", "is higher than this provider takes.")?;
        draft.put("temperature", highest.to_string());
    }
    Ok(())
}

/// The output limit, under the one name the model takes.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of rules holds one kind of function"
)]
pub(super) fn limit(draft: &mut Draft<'_>) -> Result<(), Error> {
    const NAMES: [&str; 2] = ["max_completion_tokens", "max_tokens"];
    let renames = &draft.target.quirks.rename;
    let by_quirk = NAMES.iter().find_map(|name| renames.get(*name));
    let Some(wanted) = draft.target.caps.max_tokens_name.as_ref().or(by_quirk) else {
        return Ok(());
    };
    let mut found = NAMES
        .into_iter()
        .filter(|name| draft.member(name).is_some());
    // Of two, the newer holds.
    let (first, second) = (found.next(), found.next());
    drop(found);
    if let Some(second) = second {
        draft.omit(second);
    }
    if let Some(first) = first.filter(|first| first != wanted) {
        draft.rename(first, wanted);
    }
    Ok(())
}

/// `stop` as an array, and not too long a one.
pub(super) fn stop(draft: &mut Draft<'_>) -> Result<(), Error> {
    let quirks = draft.target.quirks;
    let Some(raw) = draft.member("stop") else {
        return Ok(());
    };
    if raw.starts_with('"') {
        if quirks.stop_array {
            draft.put("stop", format!("[{raw}]"));
        }
        return Ok(());
    }
    let Some(max) = quirks.stop_max else {
        return Ok(());
    };
    let list = serde_json::from_str(raw).ok().and_then(elements);
    let list = list
        .ok_or_else(|| Error::value("stop", "'stop' must be a string or an array of strings."))?;
    if list.len() > max {
        let mode = draft.mode();
        draft.report.clamp(
            mode,
            "stop",
            "holds more sequences than this provider takes.",
        )?;
        let kept: Vec<&str> = list.iter().take(max).map(|raw| raw.get()).collect();
        draft.put("stop", format!("[{}]", kept.join(",")));
    }
    Ok(())
}

/// The service tier, by the provider's own name for it.
pub(super) fn service_tier(draft: &mut Draft<'_>) -> Result<(), Error> {
    let tiers = &draft.target.quirks.service_tiers;
    let Some(raw) = draft.member("service_tier").filter(|_| !tiers.is_empty()) else {
        return Ok(());
    };
    let word = Escaped::quoted(raw)
        .map(Escaped::decode)
        .unwrap_or_default();
    match tiers.get(word.as_ref()) {
        Some(theirs) if *theirs == word => {}
        Some(theirs) => {
            let json = json::quoted(theirs);
            draft.put("service_tier", json);
        }
        None => draft.drop(
            "service_tier",
            "names a tier that this provider does not have.",
        )?,
    }
    Ok(())
}

/// Usage is always asked for on streams, as calls are accounted by it.
pub(super) fn stream_options(draft: &mut Draft<'_>) -> Result<(), Error> {
    if !draft.target.quirks.stream_options {
        draft.omit("stream_options");
        return Ok(());
    }
    if !draft.request.stream {
        return Ok(());
    }
    let raw = draft.member("stream_options").unwrap_or("{}");
    let options = Members::parse(raw)
        .map_err(|_| Error::value("stream_options", "'stream_options' must be an object."))?;
    if options
        .find("include_usage")
        .is_some_and(|raw| raw.get() == "true")
    {
        return Ok(());
    }
    let mut out = vec![b'{'];
    for (name, value) in options.0.iter().filter(|(name, _)| name != "include_usage") {
        json::member(name, value.get(), &mut out);
    }
    json::member("include_usage", "true", &mut out);
    out.push(b'}');
    draft.put("stream_options", String::from_utf8(out).unwrap_or_default());
    Ok(())
}

/// Members that have another name here.
pub(super) fn names(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, to) in &draft.target.quirks.rename {
        let is_limit = name == "max_tokens" || name == "max_completion_tokens";
        if is_limit || draft.member(name).is_none() {
            continue;
        }
        if draft.will_send(to) {
            let mode = draft.mode();
            draft
                .report
                .drop(mode, name.clone(), "is given twice, under two names.")?;
            draft.omit(name.clone());
        } else {
            draft.rename(name.clone(), to);
        }
    }
    Ok(())
}

/// Members with a fixed value that are always there, unless the client gave its own.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of rules holds one kind of function"
)]
pub(super) fn additions(draft: &mut Draft<'_>) -> Result<(), Error> {
    for (name, json) in &draft.target.quirks.add {
        if !draft.will_send(name) {
            draft.put(name.clone(), json.clone());
        }
    }
    Ok(())
}

/// The error for something of the request that only another API takes.
pub(super) fn only_elsewhere(param: &str, why: &str) -> Error {
    request::unsupported(param, why)
}
