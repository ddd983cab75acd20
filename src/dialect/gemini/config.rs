//! `generationConfig`: limits, sampling, stops, log probabilities.

use crate::chat::Error;
use crate::chat::json::{self, Escaped, whole_number};
use crate::dialect::caps::Sampling;
use crate::dialect::codec::refused;

use super::format::Format;
use super::job::Job;
use super::thinking;

/// More than this many stop sequences are refused.
const MAX_STOPS: usize = 5;
/// More than this many candidates are refused.
const MAX_CANDIDATES: u64 = 8;

/// Writes the member where there is anything to say.
pub(super) fn write(
    job: &mut Job<'_>,
    format: &Format<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut config = vec![b'{'];
    limit(job, &mut config)?;
    sampling(job, &mut config)?;
    candidates(job, &mut config)?;
    stops(job, &mut config)?;
    penalty(job, "presence_penalty", "presencePenalty", &mut config)?;
    penalty(job, "frequency_penalty", "frequencyPenalty", &mut config)?;
    seed(job, &mut config)?;
    logprobs(job, &mut config)?;
    format.write(job, &mut config)?;
    modalities(job, &mut config)?;
    thinking::write(job, &mut config)?;
    if let Some(raw) = job.member("mediaResolution")? {
        json::member("mediaResolution", raw, &mut config);
    }
    if config.len() > 1 {
        config.push(b'}');
        json::key("generationConfig", out);
        out.extend_from_slice(&config);
    }
    Ok(())
}

fn limit(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let Some(asked) = job.request.max_output else {
        return Ok(());
    };
    let most = job.target.caps.max_output.unwrap_or(u64::MAX);
    if asked > most {
        let name = if job.request.member("max_completion_tokens").is_some() {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        job.clamp(name, "is more than the model can write.")?;
    }
    json::member("maxOutputTokens", &asked.min(most).to_string(), config);
    Ok(())
}

fn sampling(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let fixed = job.target.caps.sampling == Sampling::None || job.model.ignores_sampling();
    let table = [
        ("temperature", "temperature", 2.0),
        ("top_p", "topP", 1.0),
        ("top_k", "topK", 1_000_000.0),
    ];
    for (name, theirs, high) in table {
        if job.member(name)?.is_none() {
            continue;
        }
        let Some((raw, value)) = job.request.number(name, 0.0, high)? else {
            continue;
        };
        // OpenAI's defaults of temperature and top_p are 1: saying so asks for nothing.
        let is_default = name != "top_k" && (value - 1.0).abs() < f64::EPSILON;
        if !fixed {
            json::member(theirs, raw, config);
        } else if !is_default {
            job.drop(name, "is ignored by this model.")?;
        }
    }
    Ok(())
}

fn candidates(job: &Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let n = job.request.n;
    if n == 1 {
        return Ok(());
    }
    if n > MAX_CANDIDATES || job.target.caps.n == Some(false) {
        let why = "asks for more choices than this model gives for one prompt.";
        return Err(refused("n", why));
    }
    json::member("candidateCount", &n.to_string(), config);
    Ok(())
}

fn stops(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = job.member("stop")? else {
        return Ok(());
    };
    let shape = || Error::value("stop", "'stop' must be a string or an array of strings.");
    let list: Vec<Escaped<'_>> = match Escaped::quoted(raw) {
        Some(one) => vec![one],
        None => strings(raw).ok_or_else(shape)?,
    };
    let mut kept: Vec<_> = list.iter().filter(|stop| !stop.is_empty()).collect();
    if kept.len() < list.len() {
        job.drop("stop", "has an empty string, which stops nothing.")?;
    }
    if kept.len() > MAX_STOPS {
        job.clamp("stop", "may hold at most 5 sequences here.")?;
        kept.truncate(MAX_STOPS);
    }
    if kept.is_empty() {
        return Ok(());
    }
    json::key("stopSequences", config);
    config.push(b'[');
    for stop in kept {
        json::comma(config);
        stop.write_quoted(config);
    }
    config.push(b']');
    Ok(())
}

/// An array of strings, each as it stands.
fn strings(raw: &str) -> Option<Vec<Escaped<'_>>> {
    let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw).ok()?;
    list.into_iter().map(Escaped::token).collect()
}

fn penalty(
    job: &mut Job<'_>,
    name: &'static str,
    theirs: &str,
    config: &mut Vec<u8>,
) -> Result<(), Error> {
    if job.member(name)?.is_none() {
        return Ok(());
    }
    let Some((raw, value)) = job.request.number(name, -2.0, 2.0)? else {
        return Ok(());
    };
    if value == 0.0 {
        return Ok(());
    }
    if job.model.is_third() {
        return job.drop(name, "is not taken by models from 3.0 on.");
    }
    if value >= 2.0 {
        job.clamp(name, "must be less than 2 here.")?;
        json::member(theirs, "1.99", config);
    } else {
        json::member(theirs, raw, config);
    }
    Ok(())
}

/// The seed is an `int32` there: the lowest 31 bits of ours.
fn seed(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = job.member("seed")? else {
        return Ok(());
    };
    let shape = || Error::value("seed", "'seed' must be an integer.");
    let whole = || whole_number(raw).and_then(|seed| i64::try_from(seed).ok());
    let seed = raw.parse::<i64>().ok().or_else(whole).ok_or_else(shape)?;
    if job.target.caps.seed == Some(false) {
        return job.drop("seed", "is not taken by this model.");
    }
    let masked = seed & 0x7FFF_FFFF;
    if masked != seed {
        job.clamp("seed", "must fit 31 bits here.")?;
    }
    json::member("seed", &masked.to_string(), config);
    Ok(())
}

fn logprobs(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let wanted = match job.member("logprobs")? {
        Some(_) => job.request.boolean("logprobs")? == Some(true),
        None => false,
    };
    let top = match job.member("top_logprobs")? {
        Some(_) => job.request.number("top_logprobs", 0.0, 20.0)?,
        None => None,
    };
    if !wanted {
        return match top {
            Some((_, top)) if top > 0.0 => {
                let message = "'top_logprobs' needs 'logprobs' to be true.";
                Err(Error::value("top_logprobs", message))
            }
            _ => Ok(()),
        };
    }
    if job.target.caps.logprobs == Some(false) {
        return job.drop("logprobs", "is not given by this model.");
    }
    json::member("responseLogprobs", "true", config);
    if let Some((raw, _)) = top {
        // Their `logprobs` is our `top_logprobs`.
        json::member("logprobs", raw, config);
    }
    Ok(())
}

fn modalities(job: &mut Job<'_>, config: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = job.member("modalities")? else {
        return Ok(());
    };
    let shape = || Error::value("modalities", "'modalities' must be an array of strings.");
    let mut words = Vec::new();
    for word in strings(raw).ok_or_else(shape)? {
        match word.as_str() {
            "text" => words.push("\"TEXT\""),
            "image" => words.push("\"IMAGE\""),
            "audio" => {
                return Err(refused(
                    "modalities",
                    "cannot hold \"audio\" for this model.",
                ));
            }
            _ => return Err(shape()),
        }
    }
    if words.contains(&"\"IMAGE\"") {
        json::member(
            "responseModalities",
            &format!("[{}]", words.join(",")),
            config,
        );
    }
    Ok(())
}
