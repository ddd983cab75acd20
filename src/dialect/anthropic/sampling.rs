//! `temperature`, `top_p`, `top_k` and `stop`.

use crate::chat::json::{elements, key, member};
use crate::chat::{Error, Escaped, Request};
use serde_json::value::RawValue;

use super::super::caps::Sampling;
use super::super::codec::{Mode, Report};
use super::text::is_blank;

/// What of the target and the request bears on sampling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// What the model makes of the parameters.
    pub(super) sampling: Sampling,
    /// Whether it thinks in this request, which fixes the temperature ("may only be set to 1 when thinking is
    /// enabled or in adaptive mode").
    pub(super) thinks: bool,
    /// What to do about what cannot be sent.
    pub(super) mode: Mode,
}

/// Writes what can be sent of `temperature`, `top_p` and `top_k`.
///
/// # Errors
/// Where a value is out of bounds, or cannot be sent under strict mode.
pub(super) fn write(
    request: &Request,
    rules: Rules,
    report: &mut Report,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let temperature = request.number("temperature", 0.0, 2.0)?;
    let top_p = request.number("top_p", 0.0, 1.0)?;
    let top_k = request.member("top_k");
    let refused = match rules.sampling {
        Sampling::None => Some("is refused by this model."),
        Sampling::All | Sampling::EffortNoneOnly | Sampling::IgnoredWhileThinking => rules
            .thinks
            .then_some("is refused while this model thinks."),
    };
    if let Some(why) = refused {
        // 1 is what holds without it.
        let drop = |report: &mut Report, name| report.drop(rules.mode, name, why);
        if temperature.is_some_and(|(_, value)| (value - 1.0).abs() > f64::EPSILON) {
            drop(report, "temperature")?;
        }
        match top_p {
            // The one thing that thinking leaves open.
            Some((raw, value)) if value >= 0.95 && rules.sampling != Sampling::None => {
                member("top_p", raw, out);
            }
            Some((_, value)) if value < 1.0 => drop(report, "top_p")?,
            Some(_) | None => {}
        }
        if top_k.is_some() {
            drop(report, "top_k")?;
        }
        return Ok(());
    }
    match temperature {
        Some((_, value)) if value > 1.0 => {
            report.clamp(rules.mode, "temperature", "goes up to 1 here.")?;
            member("temperature", "1", out);
        }
        Some((raw, _)) => member("temperature", raw, out),
        None => {}
    }
    match top_p {
        // Claude 4 takes one of the two (E-54).
        Some(_) if temperature.is_some() => {
            report.drop(
                rules.mode,
                "top_p",
                "cannot be combined with temperature here.",
            )?;
        }
        Some((raw, _)) => member("top_p", raw, out),
        None => {}
    }
    if let Some(raw) = top_k {
        member("top_k", raw, out);
    }
    Ok(())
}

/// Writes `stop` as a list. Entries of white space are refused and left out.
///
/// # Errors
/// Where it is neither a string nor a list of strings, or an entry is left out under strict mode.
pub(super) fn stop(
    request: &Request,
    mode: Mode,
    report: &mut Report,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let Some(raw) = request.member("stop") else {
        return Ok(());
    };
    let shape = || Error::value("stop", "'stop' must be a string or an array of strings.");
    let value: &RawValue = serde_json::from_str(raw).map_err(|_| shape())?;
    let list = elements(value).unwrap_or_else(|| vec![value]);
    let mut kept = Vec::new();
    for (at, entry) in list.into_iter().enumerate() {
        let text = Escaped::token(entry).ok_or_else(shape)?;
        if is_blank(text) {
            report.drop(
                mode,
                format!("stop[{at}]"),
                "must hold more than white space.",
            )?;
        } else {
            kept.push(entry.get());
        }
    }
    if !kept.is_empty() {
        key("stop_sequences", out);
        out.extend_from_slice(format!("[{}]", kept.join(",")).as_bytes());
    }
    Ok(())
}
