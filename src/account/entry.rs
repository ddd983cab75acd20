//! Rows of the ledger: what is about to be sent, what an attempt came to, what a call came to.
//!
//! They are plain data. No prompt, no answer and no credential is in them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use crate::chat::Tokens;

use super::money::Money;

/// A word that is mostly one of ours, and text where it was read back.
pub type Word = Cow<'static, str>;

/// How many bits of a call's number are not its time.
const CHANCE: u32 = 80;

/// The number of a call, which its id `req_…` spells out. Its first 48 bits are the milliseconds of its beginning, so
/// that rows lie in the order of time; the rest is chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u128);

impl CallId {
    /// The number of a call that begins at these Unix milliseconds.
    #[must_use]
    pub const fn new(at: u64, chance: u128) -> Self {
        Self(((at as u128) << CHANCE) | (chance & ((1 << CHANCE) - 1)))
    }

    /// The lowest number of calls that begin then.
    #[must_use]
    pub const fn first_at(at: u64) -> Self {
        Self::new(at, 0)
    }

    /// Reads `req_…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("req_").filter(|rest| rest.len() == 32)?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(digits, 16)
            .ok()
            .filter(|_| hex)
            .map(Self)
    }

    /// Its bytes, which are in the order of time.
    #[must_use]
    pub const fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The call whose bytes these are.
    #[must_use]
    pub const fn of(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "req_{:032x}", self.0)
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a call's id is req_ and 32 hex digits"))
    }
}

/// Whose a call is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The id of its key, never the key.
    pub key: Option<Arc<str>>,
    /// Where there are no keys of ours: a hash of the credential that was shown.
    pub owner: Option<u64>,
    /// The tenant.
    pub tenant: Option<Arc<str>>,
    /// What the caller marked it with.
    pub tags: Option<Arc<str>>,
}

/// An attempt that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its call.
    pub call: CallId,
    /// Which attempt of the call it is, from 1.
    pub attempt: u32,
    /// When, in Unix milliseconds.
    pub at: u64,
    /// Whose.
    pub party: Party,
    /// Who is asked.
    pub provider: Box<str>,
    /// For which model.
    pub model: Box<str>,
    /// The strategy that chose it.
    pub strategy: Option<Box<str>>,
    /// Why it was chosen.
    pub reason: Word,
    /// What it is likely to cost, in nano-dollars.
    #[serde(with = "nano")]
    pub estimate: Option<Money>,
    /// What it can cost at most, in nano-dollars.
    #[serde(with = "nano")]
    pub bound: Option<Money>,
}

/// What something cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// The usage.
    pub tokens: Option<Tokens>,
    /// The sum; `None` where nobody vouches for a price.
    pub cost: Option<Money>,
    /// Why the sum may not be the bill to the nano-dollar; `None` where it is.
    pub inexact: Option<Word>,
    /// Which prices it was worked out with.
    pub price: Option<Arc<str>>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// `answered`, `client_gone`, `lost`, `unknown`, or the code of the error.
    pub outcome: Word,
    /// What it cost.
    pub paid: Paid,
    /// Time to its first event.
    pub first: Option<Duration>,
    /// Time to its end.
    pub latency: Duration,
}

/// One attempt, from its intent to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was sent.
    pub intent: Intent,
    /// What came of it.
    pub end: End,
}

/// One call, with what all its attempts came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Its number.
    pub call: CallId,
    /// When it began, in Unix milliseconds.
    pub at: u64,
    /// Whose it is.
    pub party: Party,
    /// Who answered, or was tried last.
    pub provider: Box<str>,
    /// With which model.
    pub model: Box<str>,
    /// The strategy that chose.
    pub strategy: Option<Box<str>>,
    /// Why that was chosen.
    pub reason: Word,
    /// How many attempts were made.
    pub attempts: u32,
    /// How it ended.
    pub end: End,
    /// What it was likely to cost.
    pub estimate: Option<Money>,
    /// What it could cost at most.
    pub most: Option<Money>,
    /// Parameters that were dropped, clamped or emulated: `dropped:top_k clamped:temperature`.
    pub params: Option<Box<str>>,
    /// The experiment that it takes part in, and its arm.
    pub trial: Option<(Box<str>, Box<str>)>,
    /// The call that it is a shadow copy of.
    pub copy_of: Option<CallId>,
}

impl End {
    /// The end of an attempt of which nobody knows how it ended: it is held at what it can cost at most.
    #[must_use]
    pub fn unheard(outcome: &'static str, bound: Option<Money>) -> Self {
        Self {
            outcome: Cow::Borrowed(outcome),
            paid: Paid {
                cost: bound,
                inexact: Some(Cow::Borrowed(outcome)),
                ..Paid::default()
            },
            first: None,
            latency: Duration::ZERO,
        }
    }
}

/// Nano-dollars as a number, as a row holds them.
mod nano {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::account::money::Money;

    #[expect(clippy::ref_option, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(
        money: &Option<Money>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        money.map(Money::as_nano).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Money>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Money::nano))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_whatever_the_clock_says() {
        // It stands still, goes back an hour, and on a day.
        let jumps = [3_600_000, 3_600_000, 0, 90_000_000];
        let all = (0..1_000).flat_map(|_| jumps.map(|at| CallId::new(at, fastrand::u128(..))));
        let ids: std::collections::HashSet<_> = all.map(CallId::bytes).collect();
        assert_eq!(ids.len(), 4_000);
    }

    #[test]
    fn ids_are_in_the_order_of_time_and_read_back() {
        let (early, late) = (CallId::new(1_000, u128::MAX), CallId::new(1_001, 0));
        assert!(early < late, "chance must not reach into the time");
        assert!(early.bytes() < late.bytes());
        assert_eq!(CallId::parse(&late.to_string()), Some(late));
        assert_eq!(CallId::of(early.bytes()), early);
        assert_eq!(CallId::first_at(1_001), late);
        let long = format!("req_{}", "a".repeat(33));
        let signed = format!("req_+{}", "0".repeat(31));
        for bad in ["", "req_", "req_12", "abc", &long, &signed] {
            assert_eq!(CallId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_intent_survives_its_text() {
        let intent = Intent {
            call: CallId::new(7, 9),
            attempt: 2,
            at: 7,
            party: Party {
                owner: Some(u64::MAX),
                tenant: Some("acme".into()),
                ..Party::default()
            },
            provider: "p".into(),
            model: "m/\"x\"".into(),
            strategy: None,
            reason: Cow::Borrowed("forced"),
            estimate: Some(Money::nano(1)),
            bound: Some(Money::MAX),
        };
        let text = serde_json::to_string(&intent).expect("text");
        assert_eq!(serde_json::from_str::<Intent>(&text).ok(), Some(intent));
    }
}
