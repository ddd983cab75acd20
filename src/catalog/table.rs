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
            &provider.url_shape,
            provider.models.len(),
        );
        let _ = writeln!(out, "| {name} | {env} | {dialect} | `{url}` | {models} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_a_line_of_its_own() {
        let catalog = Catalog::builtin().unwrap();
        let table = markdown(&catalog);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), catalog.providers().len() + 2);
        let google = lines
            .iter()
            .find(|line| line.starts_with("| `google` (`gemini`) |"))
            .unwrap();
        let cells = "| `GEMINI_API_KEY` or `GOOGLE_API_KEY` | gemini | `https://generativelanguage.googleapis.com` | ";
        assert!(google.contains(cells), "{google}");
        assert!(
            table.contains("| `ollama` | when configured | openai |"),
            "{table}"
        );
        for line in lines {
            assert_eq!(line.matches('|').count(), 6, "{line}");
        }
    }
}
