//! What is asked about reasoning, as the `reasoning` object.

use serde_json::value::RawValue;

use crate::chat::Error;
use crate::chat::json::{Members, member, quoted};

use super::super::caps::{Effort, Kind};
use super::job::Job;

/// Members of a `reasoning` object that are this format's own.
const NATIVE: [&str; 3] = ["summary", "context", "mode"];

/// What is sent.
#[derive(Debug)]
pub(super) struct Plan {
    /// The object, if there is anything to say.
    pub(super) json: Option<String>,
    /// Whether the model will reason.
    pub(super) reasons: bool,
}

/// What a client asks, in all the ways there are.
#[derive(Debug, Default)]
struct Ask<'a> {
    effort: Option<Effort>,
    /// A word that is no level of OpenAI's: the provider's own.
    foreign: Option<&'a str>,
    /// Whether reasoning shall be shown.
    show: bool,
    /// Members of this format's own.
    native: Vec<(&'static str, &'a RawValue)>,
}

/// Decides what to send.
///
/// # Errors
/// Under strict mode where the model cannot do what was asked.
pub(super) fn plan(job: &mut Job<'_>) -> Result<Plan, Error> {
    let ask = read(job)?;
    let caps = &job.target.caps.reasoning;
    let effort = match ask.effort {
        Some(wanted) => fitted(job, wanted)?,
        None => None,
    };
    let reasons = caps.happens(effort);
    let mut out = vec![b'{'];
    if let Some(level) = effort {
        member("effort", &quoted(level.as_str()), &mut out);
    } else if let Some(raw) = ask.foreign {
        member("effort", raw, &mut out);
    }
    for (name, raw) in &ask.native {
        member(name, raw.get(), &mut out);
    }
    let said = ask.native.iter().any(|(name, _)| *name == "summary");
    if ask.show && !said && reasons {
        member("summary", "\"auto\"", &mut out);
    }
    out.push(b'}');
    let json = String::from_utf8(out).unwrap_or_default();
    Ok(Plan {
        json: (json != "{}").then_some(json),
        reasons,
    })
}

/// The nearest level that the model takes; `None` where there is nothing to say.
fn fitted(job: &mut Job<'_>, wanted: Effort) -> Result<Option<Effort>, Error> {
    const NAME: &str = "reasoning_effort";
    let caps = &job.target.caps.reasoning;
    if caps.kind == Kind::None {
        if wanted != Effort::None {
            job.drop(NAME, "is not taken: this model does not reason.")?;
        }
        return Ok(None);
    }
    let level = caps.fitted(wanted);
    if level != wanted {
        job.clamp(NAME, "has a level that this model does not take.")?;
    }
    Ok(Some(level))
}

/// Reads `reasoning_effort`, `reasoning` and `include_reasoning`. A summary is asked for only where the client shows
/// that it wants one: the provider refuses it to accounts that are not verified.
fn read<'a>(job: &mut Job<'a>) -> Result<Ask<'a>, Error> {
    let mut ask = Ask::default();
    if let Some(raw) = job.request.member("reasoning_effort") {
        ask.effort = Effort::said(raw);
        if let Ok(object) = Members::parse(raw) {
            ask.native(&object);
        } else if raw.starts_with('"') {
            ask.foreign = Some(raw).filter(|_| ask.effort.is_none());
        } else {
            let message = "'reasoning_effort' must be a string.";
            return Err(Error::value("reasoning_effort", message));
        }
    }
    if let Some(raw) = job.request.member("reasoning") {
        let shape = |_| Error::value("reasoning", "'reasoning' must be an object.");
        let object = Members::parse(raw).map_err(shape)?;
        ask.object(&object);
        if object.find("max_tokens").is_some() {
            job.drop("reasoning.max_tokens", "has no budget here.")?;
        }
    }
    ask.show |= job.request.boolean("include_reasoning")? == Some(true);
    Ok(ask)
}

impl<'a> Ask<'a> {
    /// A `reasoning` object: `OpenRouter`'s, or this format's own.
    fn object(&mut self, object: &Members<'a>) {
        let is = |name: &str, value: &str| object.find(name).map(RawValue::get) == Some(value);
        if let Some(raw) = object.find("effort") {
            self.effort = Effort::said(raw.get());
            self.foreign = Some(raw.get()).filter(|_| self.effort.is_none());
        } else if is("enabled", "false") {
            self.effort = Some(Effort::None);
        }
        self.show = !is("exclude", "true") && !is("enabled", "false");
        self.native(object);
    }

    fn native(&mut self, object: &Members<'a>) {
        for name in NATIVE {
            if let Some(raw) = object.find(name) {
                self.native.retain(|(known, _)| *known != name);
                self.native.push((name, raw));
            }
        }
    }
}
