//! `[faults]`: what providers do wrong in a replay, so that an outage can be rehearsed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::catalog::Catalog;
use crate::dialect::refusing::{Refusing, refusing};

use super::problem::Flaw;
use super::units::{count, positive_time};

/// A fault by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsed {
    /// A refusal, with the seconds of a `retry-after`.
    Refuses(Refusing, Option<u64>),
    /// The connection is reset before any answer.
    Reset,
    /// Nothing is ever answered.
    Silence,
    /// The head comes at once and the first token late.
    SlowFirstToken,
    /// The answer breaks off.
    Cut,
    /// The answer falls silent, and breaks off after a while.
    Stall,
    /// An event cannot be read.
    MalformedChunk,
    /// The word that nothing follows is missing.
    NoDone,
    /// Down for a while, then healthy.
    Flapping,
}

/// Every fault: its name, what it is, and for how many calls if nothing is said.
const NAMES: [(&str, Rehearsed, Option<u32>); 16] = [
    (
        "429-retry-after",
        Rehearsed::Refuses(Refusing::Limited, Some(2)),
        Some(1),
    ),
    ("429", Rehearsed::Refuses(Refusing::Limited, None), None),
    (
        "500-once",
        Rehearsed::Refuses(Refusing::Broken, None),
        Some(1),
    ),
    ("503", Rehearsed::Refuses(Refusing::Overloaded, None), None),
    ("reset", Rehearsed::Reset, Some(1)),
    ("silence", Rehearsed::Silence, None),
    ("slow-first-token", Rehearsed::SlowFirstToken, None),
    ("cut", Rehearsed::Cut, None),
    ("stall", Rehearsed::Stall, None),
    ("malformed-chunk", Rehearsed::MalformedChunk, None),
    ("no-done", Rehearsed::NoDone, None),
    (
        "context-length",
        Rehearsed::Refuses(Refusing::TooLong, None),
        None,
    ),
    (
        "content-filter",
        Rehearsed::Refuses(Refusing::Filtered, None),
        None,
    ),
    (
        "no-prefill",
        Rehearsed::Refuses(Refusing::Prefilled, None),
        None,
    ),
    ("flapping", Rehearsed::Flapping, None),
    // The fault of 503; what is looked at is who is named and billed.
    (
        "accounting",
        Rehearsed::Refuses(Refusing::Overloaded, None),
        None,
    ),
];

/// One fault of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub what: Rehearsed,
    /// For how many calls; `None` for all that follow.
    pub times: Option<u32>,
    /// How long what takes time takes.
    pub wait: Duration,
}

/// What goes wrong at a provider, or at one of its models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faulty {
    /// The provider.
    pub provider: String,
    /// The model; `None` for all of them.
    pub model: Option<String>,
    /// The faults, one after the other.
    pub faults: Vec<Fault>,
}

/// `[faults]` as it is written.
pub(super) type Table = BTreeMap<Spanned<String>, Spanned<Said>>;

/// One fault, or several in turn.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a fault like \"stall\", a list of them, or { fault = \"stall\", times = 1, wait = \"5s\" }"
)]
pub(super) enum Said {
    Word(String),
    List(Vec<Each>),
    Table(Long),
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a fault like \"stall\", or { fault = \"stall\", times = 1, wait = \"5s\" }"
)]
pub(super) enum Each {
    Word(String),
    Table(Long),
}

/// A fault with all that can be said of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Long {
    fault: String,
    #[serde(default, deserialize_with = "few")]
    times: Option<usize>,
    #[serde(default, deserialize_with = "some_time")]
    wait: Option<Duration>,
}

fn few<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    count::<1, 1_000_000, D>(deserializer).map(Some)
}

fn some_time<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    positive_time(deserializer).map(Some)
}

/// What the table says.
pub(super) fn read(table: &Table, catalog: &Catalog) -> Result<Vec<Faulty>, Flaw> {
    table
        .iter()
        .map(|(name, said)| {
            let (provider, model) = target(name, catalog)?;
            let each = match said.get_ref() {
                Said::Word(word) => vec![fault(word, None, None)],
                Said::Table(long) => vec![long.read()],
                Said::List(list) => list.iter().map(Each::read).collect(),
            };
            let faults: Result<Vec<Fault>, String> = each.into_iter().collect();
            let faults = faults.map_err(|message| Flaw::at(said.span(), message))?;
            speakable(&provider, &faults, catalog)
                .map_err(|message| Flaw::at(name.span(), message))?;
            Ok(Faulty {
                provider,
                model,
                faults,
            })
        })
        .collect()
}

/// The provider, and the model where one is named.
fn target(name: &Spanned<String>, catalog: &Catalog) -> Result<(String, Option<String>), Flaw> {
    let (provider, model) = match name.get_ref().split_once('/') {
        Some((provider, model)) => (provider, Some(model.to_owned())),
        None => (name.get_ref().as_str(), None),
    };
    let known = catalog.provider(provider).ok_or_else(|| {
        let message = format!(
            "'{provider}' is no provider; [faults] names providers, or their models as PROVIDER/MODEL"
        );
        Flaw::at(name.span(), message)
    })?;
    Ok((known.name.clone(), model))
}

/// Whether a provider's dialect has words for its faults.
fn speakable(provider: &str, faults: &[Fault], catalog: &Catalog) -> Result<(), String> {
    let dialect = catalog.provider(provider).map(|known| known.dialect.name());
    let dumb = faults.iter().any(|fault| {
        fault
            .why()
            .is_some_and(|why| dialect.and_then(|name| refusing(name, why)).is_none())
    });
    if dumb {
        return Err(format!(
            "'{provider}' speaks a dialect in which refusals cannot be rehearsed; reset, silence, slow-first-token, cut, stall and malformed-chunk can"
        ));
    }
    Ok(())
}

impl Each {
    fn read(&self) -> Result<Fault, String> {
        match self {
            Self::Word(word) => fault(word, None, None),
            Self::Table(long) => long.read(),
        }
    }
}

impl Long {
    fn read(&self) -> Result<Fault, String> {
        let times = self.times.and_then(|times| u32::try_from(times).ok());
        fault(&self.fault, times, self.wait)
    }
}

impl Fault {
    /// How it is refused, where it is a refusal.
    #[must_use]
    pub const fn why(&self) -> Option<Refusing> {
        match self.what {
            Rehearsed::Refuses(why, _) => Some(why),
            Rehearsed::Flapping => Some(Refusing::Overloaded),
            Rehearsed::Reset
            | Rehearsed::Silence
            | Rehearsed::SlowFirstToken
            | Rehearsed::Cut
            | Rehearsed::Stall
            | Rehearsed::MalformedChunk
            | Rehearsed::NoDone => None,
        }
    }
}

fn fault(word: &str, times: Option<u32>, wait: Option<Duration>) -> Result<Fault, String> {
    let found = NAMES.iter().find(|(name, _, _)| *name == word);
    let (_, what, usual) = found.ok_or_else(|| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _, _)| *name).collect();
        format!("'{word}' is no fault; there are {}", names.join(", "))
    })?;
    let usual_wait = match what {
        Rehearsed::SlowFirstToken => 20,
        Rehearsed::Stall => 30,
        Rehearsed::Flapping => 60,
        Rehearsed::Refuses(_, wait) => wait.unwrap_or(0),
        Rehearsed::Reset
        | Rehearsed::Silence
        | Rehearsed::Cut
        | Rehearsed::MalformedChunk
        | Rehearsed::NoDone => 0,
    };
    Ok(Fault {
        what: *what,
        times: times.or(*usual),
        wait: wait.unwrap_or_else(|| Duration::from_secs(usual_wait)),
    })
}
