//! A body of the plain API as the chat request that it means.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::super::error::{Code, Error};
use super::super::gate;
use super::super::json::{self, Escaped, Members};

/// What the plain API is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// A whole answer.
    Whole,
    /// A stream of events.
    Stream,
    /// The plan alone.
    Recommend,
}

/// The members of a body, as errors name them.
const MEMBERS: &str = "prompt or messages, strategy, max_cost, force_model, params";

/// Members of a chat request that stand outside `params`, or have no place here.
const GOVERNED: [&str; 8] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "waypost",
    "models",
    "fallbacks",
];

/// The chat request that a body means, with its hints in the `waypost` member.
///
/// # Errors
/// What the client must mend, with the member named.
pub fn request(body: Vec<u8>, job: Job) -> Result<Vec<u8>, Error> {
    let body = gate::text(body)?;
    gate::check(&body)?;
    let members = Members::parse(&body).map_err(|_| {
        Error::new(
            Code::InvalidJson,
            format!("The body must be an object of {MEMBERS}."),
        )
    })?;
    known(&members)?;
    let mut out = b"{".to_vec();
    json::member("model", &model(&members)?, &mut out);
    json::key("messages", &mut out);
    messages(&members, &mut out)?;
    params(&members, &mut out)?;
    if job == Job::Stream {
        json::member("stream", "true", &mut out);
    }
    let mut hints = b"{".to_vec();
    if let Some(strategy) = text(&members, "strategy")? {
        json::member("strategy", strategy, &mut hints);
    }
    if let Some(most) = members.find("max_cost") {
        json::member("max_cost_usd", &dollars(most)?, &mut hints);
    }
    if job == Job::Recommend {
        json::member("dry_run", "true", &mut hints);
    }
    hints.push(b'}');
    json::key("waypost", &mut out);
    out.extend_from_slice(&hints);
    out.push(b'}');
    Ok(out)
}

/// Refuses what nobody knows, by its name.
fn known(members: &Members<'_>) -> Result<(), Error> {
    let own = [
        "prompt",
        "messages",
        "strategy",
        "max_cost",
        "force_model",
        "params",
    ];
    for (name, _) in &members.0 {
        if name == "stream" {
            let message = "There is no 'stream' here. Send the same body to /api/route/stream.";
            return Err(unknown(name, message));
        }
        if !own.contains(&&**name) {
            let message = format!(
                "The member '{name}' is not known, and none is ignored in silence. These are: {MEMBERS}; members of a chat \
                 request go into params."
            );
            return Err(unknown(name, message));
        }
    }
    Ok(())
}

fn unknown(name: &str, message: impl Into<String>) -> Error {
    Error::new(Code::UnsupportedParameter, message).at(name)
}

/// A member that is a string that says something, as it stands.
fn text<'a>(members: &Members<'a>, name: &str) -> Result<Option<&'a str>, Error> {
    let Some(raw) = members.find(name) else {
        return Ok(None);
    };
    match Escaped::token(raw) {
        Some(text) if !text.is_empty() => Ok(Some(raw.get())),
        Some(_) | None => Err(Error::value(
            name,
            format!("'{name}' must be a string that is not empty."),
        )),
    }
}

fn model(members: &Members<'_>) -> Result<String, Error> {
    let forced = text(members, "force_model")?;
    Ok(forced.map_or_else(|| "\"auto\"".to_owned(), str::to_owned))
}

fn messages(members: &Members<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    match (text(members, "prompt")?, members.find("messages")) {
        (Some(prompt), None) => {
            out.extend_from_slice(b"[{\"role\":\"user\",\"content\":");
            out.extend_from_slice(prompt.as_bytes());
            out.extend_from_slice(b"}]");
        }
        (None, Some(messages)) => out.extend_from_slice(messages.get().as_bytes()),
        (Some(_), Some(_)) => {
            let message = "Send 'prompt' or 'messages', not both.";
            return Err(Error::value("prompt", message));
        }
        (None, None) => {
            let message = "There is no 'prompt' and there are no 'messages'. Send one of them.";
            return Err(Error::value("prompt", message));
        }
    }
    Ok(())
}

/// Members of the chat request, passed on as they are.
fn params(members: &Members<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = members.find("params") else {
        return Ok(());
    };
    let shape = |_| Error::value("params", "'params' must be an object of chat parameters.");
    for (name, value) in &Members::parse(raw.get()).map_err(shape)?.0 {
        if GOVERNED.contains(&&**name) {
            let message = format!("'{name}' has no place in params.");
            return Err(unknown(&format!("params.{name}"), message));
        }
        json::member(name, value.get(), out);
    }
    Ok(())
}

/// Dollars, as a number or as a decimal in a string; what they may be is checked with the hint that they become.
fn dollars(raw: &RawValue) -> Result<Cow<'_, str>, Error> {
    let number = raw
        .get()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if number && raw.get().contains(['e', 'E']) {
        // Languages write small numbers so; the nearest float's shortest decimal is what was meant.
        return Ok(raw
            .get()
            .parse::<f64>()
            .map_or_else(|_| raw.get().into(), |usd| usd.to_string().into()));
    }
    if number || Escaped::token(raw).is_some() {
        return Ok(raw.get().into());
    }
    let message = "'max_cost' must be dollars, as 0.02.";
    Err(Error::value("max_cost", message))
}

/// Words that other errors have for the members of a body.
const WORDS: [(&str, &str); 4] = [
    ("waypost.strategy", "strategy"),
    ("x-waypost-strategy", "strategy"),
    ("waypost.max_cost_usd", "max_cost"),
    ("x-waypost-max-cost-usd", "max_cost"),
];

/// An error in the words of the plain API; `said` tells which headers the caller sent, as those keep their names.
#[must_use]
pub fn in_own_words(mut error: Error, said: impl Fn(&str) -> bool) -> Error {
    for (theirs, ours) in WORDS {
        if said(theirs) {
            continue;
        }
        error.message = error.message.replace(theirs, ours);
        if error.param.as_deref() == Some(theirs) {
            error.param = Some(ours.to_owned());
        }
    }
    error
}
