//! The table of providers for the README.

use std::fmt::Write as _;

use super::lookup::Catalog;

/// Every provider with its variable, dialect, address and number of models, as Markdown.
#[must_use]
pub fn markdown(catalog: &Catalog) -> String {
    let mut out = String::from(
        "| provider | key variable | dialect | base URL | models |\n|---|---|---|---|---|\n",
    );
    for provider in catalog.providers() {
        let mut name = format!("`{}`", provider.name);
        for alias in &provider.aliases {
            let _ = write!(name, " (`{alias}`)");
        }
        let env: Vec<String> = provider
            .env
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let env = if env.is_empty() {
            "when configured".to_owned()
        } else {
            env.join(" or ")
        };
        let (dialect, url, models) = (
            provider.dialect.name(),
            &provider.base_url,
            provider.models.len(),
        );
        let _ = writeln!(out, "| {name} | {env} | {dialect} | `{url}` | {models} |");
    }
    out
}
