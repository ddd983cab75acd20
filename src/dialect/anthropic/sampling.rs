//! `temperature`, `top_p`, `top_k` and `stop`.

use crate::chat::json::elements;
use crate::chat::{Error, Escaped, Request};
use serde_json::value::RawValue;

use super::super::caps::Sampling;
use super::super::codec::{Mode, Report};
use super::super::text::is_blank;

/// What of the target and the request bears on sampling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// What the model makes of the parameters.
    pub(crate) sampling: Sampling,
    /// Whether temperature and `top_p` exclude each other.
    pub(crate) one_of_two: bool,
    /// Whether it thinks in this request, which fixes the temperature ("may only be set to 1 when thinking is
    /// enabled or in adaptive mode").
    pub(crate) thinks: bool,
    /// What to do about what cannot be sent.
    pub(crate) mode: Mode,
}

/// What can be sent, as JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings<'a> {
    pub(crate) temperature: Option<&'a str>,
    pub(crate) top_p: Option<&'a str>,
    pub(crate) top_k: Option<&'a str>,
}

/// What can be sent of `temperature`, `top_p` and `top_k`.
///
/// # Errors
/// Where a value is out of bounds, or cannot be sent under strict mode.
pub(crate) fn plan<'a>(
    request: &'a Request,
    rules: Rules,
    report: &mut Report,
) -> Result<Settings<'a>, Error> {
    let mut settings = Settings::default();
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
                settings.top_p = Some(raw);
            }
            Some((_, value)) if value < 1.0 => drop(report, "top_p")?,
            Some(_) | None => {}
        }
        if top_k.is_some() {
            drop(report, "top_k")?;
        }
        return Ok(settings);
    }
    match temperature {
        Some((_, value)) if value > 1.0 => {
            report.clamp(rules.mode, "temperature", "goes up to 1 here.")?;
            settings.temperature = Some("1");
        }
        Some((raw, _)) => settings.temperature = Some(raw),
        None => {}
    }
    match top_p {
        // Claude 4 takes one of the two (E-54).
        Some(_) if temperature.is_some() && rules.one_of_two => {
            report.drop(
                rules.mode,
                "top_p",
                "cannot be combined with temperature here.",
            )?;
        }
        Some((raw, _)) => settings.top_p = Some(raw),
        None => {}
    }
    settings.top_k = top_k;
    Ok(settings)
}

/// `stop` as a list, unless it is empty. Entries of white space are refused and left out.
///
/// # Errors
/// Where it is neither a string nor a list of strings, or an entry is left out under strict mode.
pub(crate) fn stop(
    request: &Request,
    mode: Mode,
    report: &mut Report,
) -> Result<Option<String>, Error> {
    let Some(raw) = request.member("stop") else {
        return Ok(None);
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
    Ok((!kept.is_empty()).then(|| format!("[{}]", kept.join(","))))
}
