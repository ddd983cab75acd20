//! Keys of callers: how their secrets are known again, and what each may do.
//!
//! A secret is kept as its hash alone. What a key made from another may do is never more than that other may.

use std::fmt::{self, Write as _};
use std::hint::black_box;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::budget::Budget;

/// What stands before the digits of a hash where one is written.
const MARK: &str = "sha256:";

/// Stands for every name of a list.
pub const ANY: &str = "*";

/// What a key's secret begins with where it is made here.
pub const OURS: &str = "wp-";

/// The SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// A hash from its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(MARK).filter(|rest| rest.len() == 64)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            let digits = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| digits)?;
        }
        Some(Self(bytes))
    }

    /// Whether two are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let differ = pairs.fold(0, |sum, (one, other)| black_box(sum | (one ^ other)));
        black_box(differ) == 0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MARK)?;
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    /// Of a hash nobody needs to see more: a weak secret could be guessed by it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hash(…)")
    }
}

/// A secret of 256 random bits, as it is shown once.
#[must_use]
pub fn secret(random: [u8; 32]) -> String {
    let mut out = OURS.to_owned();
    for byte in random {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// How much may be done in a minute, and at once; what is not said is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Tokens a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    /// Calls at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

/// What becomes of calls to models whose price nobody vouches for, where a budget is to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unpriced {
    /// They are refused.
    #[default]
    Refuse,
    /// They pass, and count for nothing.
    Allow,
}

/// How much the answers to a key tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Telling {
    /// What the configuration and the caller say.
    #[default]
    Usual,
    /// Nothing, for clients that take no member they do not know.
    Off,
}

/// What the note of a call promises before it is sent; what promises more is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Promise {
    /// Nothing.
    Off,
    /// It survives the process, and a power cut 100 ms later.
    #[default]
    Balanced,
    /// It survives a power cut.
    Full,
}

/// What a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rights {
    /// When it ends, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Providers, models and families that it may use: one of each list. None is all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Vec<String>>,
    /// Strategies that it may ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategies: Option<Vec<String>>,
    /// The tenant that its calls are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Tenants that its callers may name instead; `*` is any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// What it may spend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// How much it may do.
    pub limits: Limits,
    /// What its calls are marked with in the ledger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What its callers may mark them with besides; `*` is anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_tag: Vec<String>,
    /// What the notes of its calls promise, where that is not what the ledger does anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<Promise>,
    /// What becomes of models without a price.
    pub unpriced: Unpriced,
    /// How much its answers tell.
    pub metadata: Telling,
}

/// A right that a key cannot have, as the key it is made from has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMuch {
    /// The tenant.
    pub tenant: String,
}

impl Rights {
    /// Whether it may use a target that is called so.
    pub fn may_use(&self, is: impl Fn(&str) -> bool) -> bool {
        let lists = &mut self.models.iter();
        lists.all(|list| list.iter().any(|name| is(name)))
    }

    /// Whether it may ask for a strategy.
    #[must_use]
    pub fn may_ask(&self, strategy: &str) -> bool {
        let listed = |list: &Vec<String>| list.iter().any(|name| name == strategy);
        self.strategies.as_ref().is_none_or(listed)
    }

    /// Whether it may call for a tenant.
    #[must_use]
    pub fn may_name(&self, tenant: &str) -> bool {
        let named = self
            .tenants
            .iter()
            .any(|name| name == ANY || name == tenant);
        named || self.tenant.as_deref() == Some(tenant)
    }

    /// Whether its callers may mark a call so.
    #[must_use]
    pub fn may_mark(&self, tag: &str) -> bool {
        let free = self.may_tag.iter().any(|name| name == ANY || name == tag);
        free || self.tags.iter().any(|own| own == tag)
    }

    /// Whether it holds at these Unix seconds.
    #[must_use]
    pub fn holds(&self, now: u64) -> bool {
        self.expires.is_none_or(|ends| now < ends)
    }

    /// What is left of it under a key that it is made from. Budgets and limits of that key are not copied: what both do
    /// counts for it.
    ///
    /// # Errors
    /// A tenant that the other may not call for.
    pub fn within(&self, maker: &Self) -> Result<Self, TooMuch> {
        let tenant = self.tenant.as_ref().or(maker.tenant.as_ref());
        if let Some(tenant) = tenant.filter(|tenant| !maker.may_name(tenant)) {
            let tenant = tenant.clone();
            return Err(TooMuch { tenant });
        }
        let models = maker.models.iter().chain(&self.models).cloned();
        Ok(Self {
            expires: match (self.expires, maker.expires) {
                (Some(own), Some(other)) => Some(own.min(other)),
                (own, other) => own.or(other),
            },
            models: models.collect(),
            strategies: match (&self.strategies, &maker.strategies) {
                (Some(own), Some(_)) => {
                    let both = own.iter().filter(|name| maker.may_ask(name));
                    Some(both.cloned().collect())
                }
                (own, other) => own.as_ref().or(other.as_ref()).cloned(),
            },
            tenant: tenant.cloned(),
            tenants: self.tenants_within(maker),
            budget: self.budget,
            limits: self.limits,
            tags: self.tags_with(maker),
            may_tag: self.may_tag_within(maker),
            sync: self.sync.max(maker.sync),
            unpriced: match (self.unpriced, maker.unpriced) {
                (Unpriced::Allow, Unpriced::Allow) => Unpriced::Allow,
                (Unpriced::Refuse, _) | (_, Unpriced::Refuse) => Unpriced::Refuse,
            },
            metadata: match (self.metadata, maker.metadata) {
                (Telling::Usual, Telling::Usual) => Telling::Usual,
                (Telling::Off, _) | (_, Telling::Off) => Telling::Off,
            },
        })
    }

    fn tags_with(&self, maker: &Self) -> Vec<String> {
        let own = self.tags.iter().filter(|tag| !maker.tags.contains(tag));
        maker.tags.iter().chain(own).cloned().collect()
    }

    fn may_tag_within(&self, maker: &Self) -> Vec<String> {
        if self.may_tag.iter().any(|name| name == ANY) {
            return maker.may_tag.clone();
        }
        let own = self.may_tag.iter();
        own.filter(|tag| maker.may_mark(tag)).cloned().collect()
    }

    fn tenants_within(&self, maker: &Self) -> Vec<String> {
        if self.tenants.iter().any(|name| name == ANY) {
            let mut all = maker.tenants.clone();
            all.extend(maker.tenant.clone());
            return all;
        }
        let own = self.tenants.iter();
        own.filter(|name| maker.may_name(name)).cloned().collect()
    }
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name, which stands for it wherever it is told of.
    pub name: String,
    /// The hash of its secret.
    pub hash: Hash,
    /// The name of the key that it was made from.
    pub made_from: Option<String>,
    /// What it may do, within what that key may.
    pub rights: Rights,
}

/// Whether a text can be the name of a key, or a tag.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
