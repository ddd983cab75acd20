//! From a provider's file and the settings of its user to an address.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::auth::Identity;
use super::form::ProviderForm;
use super::load::lay_over;
use super::setting::{SettingForm, Settings, Variant};

/// Where a provider is, and how it differs there.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// Base URL and prefix, filled in.
    pub url: String,
    /// The same with the names of settings in braces.
    pub shape: String,
    /// Quirks, filled in.
    pub quirks: Table,
    /// The settings it names that have no value.
    pub missing: Vec<String>,
    /// Whether rates of one region are charged.
    pub regional: bool,
}

impl ProviderForm {
    /// Takes in the settings that tell its identity where credentials come from.
    pub fn own_identity(&mut self) {
        let settings = self.identity.as_ref().map_or(&[][..], Identity::settings);
        for setting in settings {
            let text = || SettingForm {
                env: setting.env.iter().map(|name| (*name).to_owned()).collect(),
                free: true,
                ..SettingForm::default()
            };
            self.settings
                .entry(setting.name.to_owned())
                .or_insert_with(text);
        }
    }

    /// Every setting that has a value.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let usual = self.settings.iter().filter_map(|(name, setting)| {
            let default = setting.default.as_ref()?;
            Some((name.clone(), default.clone()))
        });
        let mut values: BTreeMap<String, String> = usual.collect();
        values.extend(self.given.0.clone());
        Settings(values)
    }

    /// Where this provider is, by the values that are given.
    #[must_use]
    pub fn address(&self) -> Address {
        let values = self.settings();
        let variants = self.variants(&values);
        let base = variants
            .iter()
            .find_map(|variant| variant.base_url.as_ref());
        let base = base.unwrap_or(&self.base_url).trim_end_matches('/');
        let prefix = variants.iter().find_map(|variant| variant.prefix.as_ref());
        let prefix = prefix.unwrap_or(&self.prefix);
        let mut quirks = self.quirks.clone();
        for variant in &variants {
            let mut own = variant.quirks.clone();
            fill_table(&mut own, |text| self.fill(text, &values));
            lay_over(&mut quirks, own);
        }
        let filled = |text: &str| self.fill(text, &values);
        let prefixes = self.prefixes().map(filled).collect::<Vec<_>>();
        let shapes = self.prefixes().map(str::to_owned).collect::<Vec<_>>();
        let named = |name: &&String| {
            let braced = format!("{{{name}}}");
            base.contains(&braced) || prefix.contains(&braced)
        };
        let missing = self.settings.keys().filter(named);
        let missing = missing.filter(|name| values.value(name).is_none());
        Address {
            url: join(&filled(base), &filled(prefix), &prefixes),
            shape: join(base, prefix, &shapes),
            quirks,
            missing: missing.cloned().collect(),
            regional: variants.iter().any(|variant| variant.regional),
        }
    }

    /// Takes an address of the user's own: it stands for the file's, whatever the settings.
    pub fn move_to(&mut self, base_url: &str) {
        base_url.clone_into(&mut self.base_url);
        self.moved = true;
        for variant in &mut self.variants {
            variant.base_url = None;
        }
    }

    /// The variants that hold.
    fn variants(&self, values: &Settings) -> Vec<&Variant> {
        let mut holding: Vec<&Variant> = Vec::new();
        for variant in &self.variants {
            let value = values.value(&variant.setting);
            let holds = match value {
                Some(value) => {
                    !variant.keyed_without
                        && (variant.is.is_empty() || variant.is.iter().any(|is| is == value))
                }
                None => variant.keyed_without && self.keyed,
            };
            if holds && holding.iter().all(|one| one.setting != variant.setting) {
                holding.push(variant);
            }
        }
        holding
    }

    /// Every prefix that may stand behind a base URL.
    fn prefixes(&self) -> impl Iterator<Item = &str> {
        let others = self.variants.iter();
        let others = others.filter_map(|variant| variant.prefix.as_deref());
        std::iter::once(self.prefix.as_str()).chain(others)
    }

    /// Puts values, or else names, where a text has `{name}`. Other braces stay.
    fn fill(&self, text: &str, values: &Settings) -> String {
        let mut filled = text.to_owned();
        let fit = self.settings.iter().filter(|(_, setting)| !setting.free);
        for (name, _) in fit {
            let value = values.value(name).unwrap_or(name);
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        filled
    }
}

fn fill_table(table: &mut Table, fill: impl Fn(&str) -> String) {
    for (_, value) in table.iter_mut() {
        if let Value::String(text) = value {
            *text = fill(text);
        }
    }
}

/// A base URL with a prefix behind it. People write more or less of the prefix into their base URL: what is there
/// already, of this or another prefix of the provider, is not said twice.
fn join(base: &str, prefix: &str, prefixes: &[String]) -> String {
    let heads = prefixes.iter().flat_map(|prefix| heads(prefix));
    let bare = heads.filter_map(|head| base.strip_suffix(head));
    let bare = bare.filter(|rest| !rest.ends_with('/') && rest.contains("://"));
    let bare = bare.min_by_key(|rest| rest.len()).unwrap_or(base);
    format!("{bare}{prefix}")
}

/// A path and what it begins with, at its slashes.
fn heads(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').map(|(at, _)| at);
    let ends = inner.chain([path.len()]).filter(|at| *at > 0);
    ends.filter_map(|at| path.get(..at))
}

#[cfg(test)]
mod tests;
