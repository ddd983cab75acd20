//! What a caller says about routing: `x-waypost-*` headers over the body's `waypost` object.
//!
//! Everything that is not understood is an error that names it, so that no hint is ever ignored in silence.

use std::time::Duration;

use crate::account::Money;
use crate::account::key::is_name;
use crate::chat::json::{Escaped, elements, whole_number};
use crate::chat::{Code, Error, Members, Request};
use crate::dialect::Mode;

pub use super::hinted::{Hedge, Rescue, Run};
use super::policy::CapMode;

/// The prefix of every header of ours.
pub const PREFIX: &str = "x-waypost-";

/// What a caller wants of routing and reporting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// A forced `provider/model`, `provider` or model; wins over the body's `model`.
    pub model: Option<String>,
    /// What to try when the first choice fails.
    pub fallback: Fallback,
    /// What to do about parameters that the target cannot express.
    pub params: Mode,
    /// How much to tell in the answer; `None` leaves it to the configuration.
    pub metadata: Option<Metadata>,
    /// The time to the first event of a stream, or for the whole of an answer.
    pub timeout: Option<Duration>,
    /// How often one target is asked again; `None` leaves it to the configuration.
    pub retries: Option<u32>,
    /// How long a stream may be silent before its first word until help is called; `None` leaves it to the configuration.
    pub first_patience: Option<Duration>,
    /// The same between words.
    pub stall_patience: Option<Duration>,
    /// Whether help is called beside a silent target.
    pub hedge: Option<Hedge>,
    /// What is done for a stream that dies; `None` leaves it to the configuration.
    pub rescue: Option<Rescue>,
    /// The strategy to choose by; its name is looked up where strategies are known.
    pub strategy: Option<String>,
    /// What the whole call may cost, every attempt included.
    pub max_cost: Option<Money>,
    /// What is done to keep within that.
    pub cap_mode: Option<CapMode>,
    /// Providers and models that alone may be taken; none named is all.
    pub only: Vec<String>,
    /// Providers and models that may not be taken.
    pub ignore: Vec<String>,
    /// The seed of the routing's draw.
    pub seed: Option<u64>,
    /// Whether anything is sent.
    pub run: Run,
    /// Whose policy holds.
    pub tenant: Option<String>,
    /// What the call is marked with.
    pub tags: Vec<String>,
    /// The name of the conversation, so that it stays where its beginning is cached.
    pub session: Option<String>,
}

/// What to try when the first choice fails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// Nothing else.
    Off,
    /// These models in order.
    Models(Vec<String>),
}

/// How much an answer tells of its call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metadata {
    /// Nothing: the body has OpenAI's members only.
    Off,
    /// The `waypost` object.
    #[default]
    Summary,
    /// The same and the candidates that were not taken.
    Full,
}

/// What to do with hints that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The request is refused.
    #[default]
    Reject,
    /// The hint is passed over; the caller of [`Hints::read`] learns its name and logs it.
    Warn,
}

/// How many models a fallback list may name: a call makes at most six attempts.
const MAX_FALLBACKS: usize = 16;

/// How often one target may be asked again.
const MAX_RETRIES: u32 = 10;

/// Longest name of a conversation, in bytes.
const MAX_SESSION: usize = 256;

/// The most marks of a call.
const MAX_TAGS: usize = 8;

/// Every hint of the contract, in header spelling.
const HINTS: [&str; 20] = [
    "model",
    "fallback",
    "params",
    "metadata",
    "timeout-ms",
    "strategy",
    "max-cost-usd",
    "cost-cap-mode",
    "only",
    "ignore",
    "tenant",
    "tags",
    "ttft-timeout-ms",
    "stall-timeout-ms",
    "retries",
    "hedge",
    "dry-run",
    "seed",
    "rescue",
    "session",
];

impl Hints {
    /// Reads the hints of a request. `headers` are those that begin with [`PREFIX`], names in lower case.
    /// Gives back the names of hints that were passed over under [`Unknown::Warn`].
    ///
    /// # Errors
    /// `unsupported_hint` for a hint that is unknown, `invalid_value` for a bad value.
    pub fn read<'a>(
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        request: &Request,
        unknown: Unknown,
    ) -> Result<(Self, Vec<String>), Error> {
        let mut hints = Self {
            fallback: listed(request)?,
            ..Self::default()
        };
        let mut passed_over = Vec::new();
        if let Some(raw) = request.member("waypost") {
            hints.read_body(raw, unknown, &mut passed_over)?;
        }
        let mut said: Vec<&str> = Vec::new();
        for (name, value) in headers {
            if said.contains(&name) {
                let message = format!("The header '{name}' was sent twice. Send it once.");
                return Err(Error::value(name, message));
            }
            said.push(name);
            let short = name.strip_prefix(PREFIX).unwrap_or(name);
            if known(short, name, unknown, &mut passed_over)? {
                hints.set(short, name, value)?;
            }
        }
        if let Fallback::Models(models) = &hints.fallback
            && models.len() > MAX_FALLBACKS
        {
            let message = format!("A fallback list names at most {MAX_FALLBACKS} models.");
            return Err(Error::value("x-waypost-fallback", message));
        }
        Ok((hints, passed_over))
    }

    fn read_body(
        &mut self,
        raw: &str,
        unknown: Unknown,
        passed_over: &mut Vec<String>,
    ) -> Result<(), Error> {
        let members = Members::parse(raw)
            .map_err(|_| Error::value("waypost", "'waypost' must be an object."))?;
        for (name, value) in &members.0 {
            let (short, field) = (name.replace('_', "-"), format!("waypost.{name}"));
            if value.get() == "null" || !known(&short, &field, unknown, passed_over)? {
                continue;
            }
            match (short.as_str(), elements(value)) {
                ("fallback", Some(list)) => {
                    self.fallback = Fallback::Models(strings(&field, list)?);
                }
                ("tags", Some(list)) => {
                    let tags = strings(&field, list)?;
                    self.set("tags", &field, &tags.join(","))?;
                }
                ("only", Some(list)) => self.only = strings(&field, list)?,
                ("ignore", Some(list)) => self.ignore = strings(&field, list)?,
                _ => {
                    let text =
                        Escaped::token(value).map_or_else(|| value.get().into(), Escaped::decode);
                    self.set(&short, &field, &text)?;
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, short: &str, field: &str, value: &str) -> Result<(), Error> {
        let value = value.trim();
        let bad = |allowed: &str| {
            Error::value(
                field,
                format!("'{field}' must be {allowed}, not '{value}'."),
            )
        };
        match short {
            "model" if value.is_empty() => {
                return Err(bad("a model, a provider or provider/model"));
            }
            "model" => self.model = Some(value.to_owned()),
            "fallback" if value == "off" => self.fallback = Fallback::Off,
            "fallback" => {
                self.fallback = Fallback::Models(
                    split(value).ok_or_else(|| bad("a comma list of models or 'off'"))?,
                );
            }
            "params" => {
                self.params = match value {
                    "emulate" => Mode::Emulate,
                    "drop" => Mode::Drop,
                    "strict" => Mode::Strict,
                    _ => return Err(bad("emulate, drop or strict")),
                };
            }
            "metadata" => {
                self.metadata = Some(match value {
                    "off" => Metadata::Off,
                    "summary" => Metadata::Summary,
                    "full" => Metadata::Full,
                    _ => return Err(bad("off, summary or full")),
                });
            }
            "tags" => {
                let wanted = "a comma list of at most 8 tags, each of letters, digits and -_. only, at most 64 of them";
                self.tags = split(value)
                    .filter(|tags| are_tags(tags))
                    .ok_or_else(|| bad(wanted))?;
            }
            "timeout-ms" => {
                let wanted = "a number of milliseconds from 1 to 3600000";
                self.timeout = Some(span(value).ok_or_else(|| bad(wanted))?);
            }
            _ => self.steer(short, value).map_err(bad)?,
        }
        Ok(())
    }

    /// Takes what steers the choice; an error says what would be allowed.
    fn steer(&mut self, short: &str, value: &str) -> Result<(), &'static str> {
        const SPAN: &str = "a number of milliseconds from 1 to 3600000";
        const NAMES: &str = "a comma list of providers or models";
        match short {
            "strategy" if value.is_empty() => return Err("a strategy"),
            "strategy" => self.strategy = Some(value.to_owned()),
            "max-cost-usd" => {
                let dollars = "dollars as a plain decimal, as 0.02, with at most nine decimals";
                self.max_cost = Some(Money::parse(value).ok_or(dollars)?);
            }
            "cost-cap-mode" => {
                self.cap_mode = Some(match value {
                    "clamp" => CapMode::Clamp,
                    "reject" => CapMode::Reject,
                    "cut" => CapMode::Cut,
                    _ => return Err("clamp, reject or cut"),
                });
            }
            "only" => self.only = split(value).ok_or(NAMES)?,
            "ignore" => self.ignore = split(value).ok_or(NAMES)?,
            "retries" => self.retries = Some(few(value).ok_or("a number from 0 to 10")?),
            "hedge" => {
                self.hedge = Some(match value {
                    "auto" => Hedge::Auto,
                    "off" => Hedge::Off,
                    _ => return Err("auto or off"),
                });
            }
            "rescue" => {
                self.rescue = Some(match value {
                    "verified" => Rescue::Verified,
                    "continue" => Rescue::Continue,
                    "off" => Rescue::Off,
                    _ => return Err("verified, continue or off"),
                });
            }
            "ttft-timeout-ms" => self.first_patience = Some(span(value).ok_or(SPAN)?),
            "stall-timeout-ms" => self.stall_patience = Some(span(value).ok_or(SPAN)?),
            "seed" => self.seed = Some(whole_number(value).ok_or("a whole number")?),
            "dry-run" => {
                self.run = match value {
                    "true" => Run::Dry,
                    "false" => Run::Real,
                    _ => return Err("true or false"),
                };
            }
            "session" | "tenant" if value.is_empty() || value.len() > MAX_SESSION => {
                return Err("a name of at most 256 bytes");
            }
            "session" => self.session = Some(value.to_owned()),
            "tenant" => self.tenant = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// Whether these can mark a call.
fn are_tags(tags: &[String]) -> bool {
    tags.len() <= MAX_TAGS && tags.iter().all(|tag| is_name(tag))
}

/// A span of milliseconds, up to an hour.
fn span(value: &str) -> Option<Duration> {
    let ms = whole_number(value).filter(|ms| (1..=3_600_000).contains(ms));
    ms.map(Duration::from_millis)
}

/// A number of repeats.
fn few(value: &str) -> Option<u32> {
    let number = u32::try_from(whole_number(value)?).ok()?;
    (number <= MAX_RETRIES).then_some(number)
}

/// Whether a hint works; an error or a note where it does not.
fn known(
    short: &str,
    field: &str,
    unknown: Unknown,
    passed_over: &mut Vec<String>,
) -> Result<bool, Error> {
    if HINTS.contains(&short) {
        return Ok(true);
    }
    if unknown == Unknown::Warn {
        passed_over.push(field.to_owned());
        return Ok(false);
    }
    let message = format!(
        "The hint '{field}' is unknown, and no hint is ignored in silence. Remove it. These work: {}.",
        HINTS.join(", ")
    );
    Err(Error::new(Code::UnsupportedHint, message).at(field))
}

/// `OpenRouter`'s `models` and `LiteLLM`'s `fallbacks`: lists of models to try, empty allowed.
fn listed(request: &Request) -> Result<Fallback, Error> {
    let mut models = Vec::new();
    let mut said = false;
    for name in ["models", "fallbacks"] {
        let Some(raw) = request.member(name) else {
            continue;
        };
        let shape = || Error::value(name, format!("'{name}' must be a list of models."));
        let list: Vec<String> = serde_json::from_str(raw).map_err(|_| shape())?;
        said |= !list.is_empty();
        models.extend(list);
    }
    models.retain(|model| *model != request.model);
    Ok(if said {
        Fallback::Models(models)
    } else {
        Fallback::Unsaid
    })
}

fn strings(field: &str, list: Vec<&serde_json::value::RawValue>) -> Result<Vec<String>, Error> {
    let text = |raw| Escaped::token(raw).map(|text| text.decode().into_owned());
    let all: Option<Vec<String>> = list.into_iter().map(text).collect();
    all.ok_or_else(|| Error::value(field, format!("'{field}' must be a list of models.")))
}

fn split(list: &str) -> Option<Vec<String>> {
    let models: Vec<String> = list
        .split(',')
        .map(|model| model.trim().to_owned())
        .collect();
    models
        .iter()
        .all(|model| !model.is_empty())
        .then_some(models)
}

#[cfg(test)]
#[path = "hint_tests.rs"]
mod tests;
