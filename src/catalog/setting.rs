//! What a user says of their own account before a provider has an address: a region, a project, a resource.
//!
//! A provider's file declares settings; the configuration gives their values; together they are an address. Where a
//! value is missing (the catalogue by itself, a replay without configuration) the setting's own name stands for it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::Table;

/// The values of a provider's settings by their names. A value may be a secret: none is ever printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(pub(super) BTreeMap<String, String>);

/// The longest value that can stand in a host or path: that of a host's label.
const LONGEST: usize = 63;

/// One thing a provider wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingForm {
    /// The variables that usually hold it, in order.
    pub env: Vec<String>,
    /// What it is where nobody says.
    pub default: Option<String>,
    /// Whether its variables count only where there is no key.
    pub env_without_key: bool,
    /// Whether it is any text, a file's path for one, and never stands in an address.
    pub free: bool,
}

/// What else holds while a setting has a value. Of several for one setting, the first that holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variant {
    /// The setting.
    pub setting: String,
    /// The values; any where empty.
    pub is: Vec<String>,
    /// Instead: that there is a key and no value.
    pub keyed_without: bool,
    /// What paths are appended to.
    pub base_url: Option<String>,
    /// What stands between that and the path.
    pub prefix: Option<String>,
    /// Members of [`crate::dialect::Quirks`].
    pub quirks: Table,
    /// Whether rates of one region are charged.
    pub regional: bool,
}

/// Why a value cannot stand in an address; `None` where it can.
#[must_use]
pub fn unfit(value: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if value.is_empty() {
        return Some("is empty");
    }
    if value.len() > LONGEST {
        return Some("is longer than 63 letters");
    }
    let fits = value.bytes().all(plain) && !value.starts_with('-') && !value.ends_with('-');
    (!fits).then_some("must be letters, digits, '-' and '_' only, as it becomes part of a URL")
}

impl Settings {
    /// The value of one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Gives one its value.
    pub fn give(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }
}

impl fmt::Debug for Settings {
    /// The names alone.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}
