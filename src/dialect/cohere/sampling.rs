//! The output limit, sampling, penalties, `seed`, `logprobs` and `stop`, within the provider's bounds
//! (docs.cohere.com/reference/chat).

use serde_json::value::RawValue;

use crate::chat::json::{elements, key, member, whole_number};
use crate::chat::{Error, Escaped, Request};

use super::super::codec::{Mode, Report};

/// The longest list of stop sequences.
const MOST_STOPS: usize = 5;

/// The output limit, at most what the model can write; `None` where the client gives none.
///
/// # Errors
/// Where it is lowered under strict mode.
pub(super) fn limit(
    request: &Request,
    most: Option<u64>,
    mode: Mode,
    report: &mut Report,
) -> Result<Option<u64>, Error> {
    let (Some(wanted), Some(most)) = (request.max_output, most) else {
        return Ok(request.max_output);
    };
    if wanted > most {
        let newer = request.member("max_completion_tokens").is_some();
        let name = if newer {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        report.clamp(mode, name, "is more than this model can write.")?;
    }
    Ok(Some(wanted.min(most)))
}

/// One number: its names, what OpenAI allows, what is allowed here.
struct Bounds {
    ours: &'static str,
    theirs: &'static str,
    open: (f64, f64),
    here: (f64, f64),
    words: (&'static str, &'static str),
    why: &'static str,
}

const TOP_P: Bounds = Bounds {
    ours: "top_p",
    theirs: "p",
    open: (0.0, 1.0),
    here: (0.01, 0.99),
    words: ("0.01", "0.99"),
    why: "goes from 0.01 to 0.99 here.",
};

const TOP_K: Bounds = Bounds {
    ours: "top_k",
    theirs: "k",
    open: (0.0, 4_294_967_295.0),
    here: (0.0, 500.0),
    words: ("0", "500"),
    why: "goes up to 500 here.",
};

const FREQUENCY: Bounds = penalty("frequency_penalty");
const PRESENCE: Bounds = penalty("presence_penalty");

const fn penalty(name: &'static str) -> Bounds {
    Bounds {
        ours: name,
        theirs: name,
        open: (-2.0, 2.0),
        here: (0.0, 1.0),
        words: ("0", "1"),
        why: "goes from 0 to 1 here.",
    }
}

/// Writes `temperature`, `p`, `k`, the penalties, `seed` and `logprobs`.
///
/// # Errors
/// Where a value is out of OpenAI's bounds, or has to be moved or left out under strict mode.
pub(super) fn write(
    request: &Request,
    mode: Mode,
    report: &mut Report,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if let Some((raw, _)) = request.number("temperature", 0.0, 2.0)? {
        member("temperature", raw, out);
    }
    for bounds in [&TOP_P, &TOP_K, &FREQUENCY] {
        bounds.write(request, mode, report, out)?;
    }
    let is_set = |name| {
        let value = request.number(name, -2.0, 2.0)?;
        Ok(value.is_some_and(|(_, value)| value > 0.0))
    };
    // "invalid request: cannot specify both frequency_penalty and presence_penalty"
    // (docs.cohere.com/reference/errors).
    if is_set(FREQUENCY.ours)? && is_set(PRESENCE.ours)? {
        let why = "cannot be combined with frequency_penalty here.";
        report.drop(mode, PRESENCE.ours, why)?;
    } else {
        PRESENCE.write(request, mode, report, out)?;
    }
    if let Some(raw) = request.member("seed") {
        match whole_number(raw) {
            Some(seed) => member("seed", &seed.to_string(), out),
            None if raw.parse::<i64>().is_ok() => {
                report.drop(mode, "seed", "must not be negative here.")?;
            }
            None => return Err(Error::value("seed", "'seed' must be an integer.")),
        }
    }
    if request.boolean("logprobs")? == Some(true) {
        member("logprobs", "true", out);
    }
    Ok(())
}

impl Bounds {
    fn write(
        &self,
        request: &Request,
        mode: Mode,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (low, high) = self.open;
        let Some((raw, value)) = request.number(self.ours, low, high)? else {
            return Ok(());
        };
        let moved = if value < self.here.0 {
            Some(self.words.0)
        } else if value > self.here.1 {
            Some(self.words.1)
        } else {
            None
        };
        if moved.is_some() {
            report.clamp(mode, self.ours, self.why)?;
        }
        member(self.theirs, moved.unwrap_or(raw), out);
        Ok(())
    }
}

/// Writes `stop` as a list; empty entries mean nothing.
///
/// # Errors
/// Where it is neither a string nor a list of strings, or too long under strict mode.
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
    let mut kept = Vec::new();
    for entry in elements(value).unwrap_or_else(|| vec![value]) {
        if !Escaped::token(entry).ok_or_else(shape)?.is_empty() {
            kept.push(entry.get());
        }
    }
    if kept.len() > MOST_STOPS {
        report.clamp(mode, "stop", "takes at most 5 sequences here.")?;
        kept.truncate(MOST_STOPS);
    }
    if !kept.is_empty() {
        key("stop_sequences", out);
        out.extend_from_slice(format!("[{}]", kept.join(",")).as_bytes());
    }
    Ok(())
}
