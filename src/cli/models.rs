//! `waypost models`: the catalogue as a table or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::catalog::{Catalog, Model, Provider, Rate};

pub use self::capability::Capability;
use self::json::Line;

pub mod capability;
mod json;

/// Lists the models that are known: provider, context, prices in dollars per million tokens, capabilities.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "Examples:\n  waypost models --provider openai\n  \
    waypost models --capability tools,vision --max-input-price 1\n  \
    waypost models --json | jq -r '.[] | .provider + \"/\" + .id'")]
pub struct ModelsArgs {
    /// Configuration whose models are laid over the catalogue [default: waypost.toml if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Only this provider's.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Only models that have all of these.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    pub capability: Vec<Capability>,
    /// Only models whose input costs no more, in dollars per million tokens.
    #[arg(long, value_name = "USD", value_parser = rate)]
    pub max_input_price: Option<Rate>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A list was asked for that cannot be made.
#[derive(Debug)]
pub enum ModelsError {
    /// There is no such provider. The exit code is that of wrong usage.
    NoProvider(String),
    /// The output is gone.
    Io(io::Error),
}

impl std::fmt::Display for ModelsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoProvider(message) => formatter.write_str(message),
            Self::Io(error) => write!(formatter, "the list cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ModelsError {}

impl From<io::Error> for ModelsError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Prints the catalogue's models that match.
///
/// # Errors
/// Where the provider is not known or `out` cannot be written.
pub fn run(args: &ModelsArgs, catalog: &Catalog, out: &mut dyn Write) -> Result<(), ModelsError> {
    let only = match &args.provider {
        Some(name) => Some(
            catalog
                .provider(name)
                .ok_or_else(|| no_provider(name, catalog))?,
        ),
        None => None,
    };
    let providers = catalog
        .providers()
        .iter()
        .filter(|provider| only.is_none_or(|only| only.name == provider.name));
    let found: Vec<(&Provider, &Model)> = providers
        .flat_map(|provider| {
            provider
                .models
                .iter()
                .map(move |model| (&**provider, model))
        })
        .filter(|(_, model)| matches(args, model))
        .collect();
    if args.json {
        let lines: Vec<Line<'_>> = found
            .iter()
            .map(|(provider, model)| Line::new(provider, model))
            .collect();
        serde_json::to_writer_pretty(&mut *out, &lines).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        table(&found, out)?;
    }
    Ok(())
}

fn no_provider(name: &str, catalog: &Catalog) -> ModelsError {
    let known: Vec<&str> = catalog
        .providers()
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    ModelsError::NoProvider(format!(
        "there is no provider '{name}'; there are {}",
        known.join(", ")
    ))
}

fn matches(args: &ModelsArgs, model: &Model) -> bool {
    let cheap = |most: Rate| {
        model
            .price
            .as_ref()
            .is_some_and(|price| price.rates.input <= most)
    };
    args.max_input_price.is_none_or(cheap)
        && args
            .capability
            .iter()
            .all(|capability| capability.of(&model.caps))
}

fn rate(text: &str) -> Result<Rate, String> {
    Rate::parse(text).ok_or_else(|| "not a price in dollars with at most six decimals".to_owned())
}

/// The capabilities that the table shows; the rest is in the JSON.
const SHOWN: [Capability; 6] = [
    Capability::Tools,
    Capability::Vision,
    Capability::Pdf,
    Capability::Audio,
    Capability::JsonSchema,
    Capability::Reasoning,
];

fn table(found: &[(&Provider, &Model)], out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "PROVIDER",
        "MODEL",
        "CONTEXT",
        "INPUT",
        "CACHED",
        "OUTPUT",
        "CAPABILITIES",
        "STATUS",
    ];
    let mut rows: Vec<[String; 8]> = vec![head.map(str::to_owned)];
    rows.extend(found.iter().map(|(provider, model)| row(provider, model)));
    let mut widths = [0_usize; 8];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
            let cell = if (2..6).contains(&at) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            };
            line.push_str(&cell);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(
        out,
        "\n{} models; prices in USD per million tokens, '-' where not known.",
        found.len()
    )
}

fn row(provider: &Provider, model: &Model) -> [String; 8] {
    let dash = || "-".to_owned();
    let rates = model.price.as_ref().map(|price| &price.rates);
    let shown = SHOWN.iter().filter(|capability| capability.of(&model.caps));
    let shown: Vec<String> = shown.map(|capability| capability.name()).collect();
    let mut status = model.status.as_str().to_owned();
    if let Some(day) = model.shutdown {
        status = format!("{status} {day}");
    }
    [
        provider.name.clone(),
        model.id.clone(),
        model
            .caps
            .context
            .map_or_else(dash, |context| context.to_string()),
        rates.map_or_else(dash, |rates| rates.input.to_string()),
        rates
            .and_then(|rates| rates.cache_read)
            .map_or_else(dash, |rate| rate.to_string()),
        rates.map_or_else(dash, |rates| rates.output.to_string()),
        shown.join(","),
        status,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(args: &ModelsArgs) -> String {
        let mut out = Vec::new();
        run(args, &Catalog::builtin().unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_holds_what_was_asked_for() {
        let table = printed(&ModelsArgs {
            provider: Some("gemini".to_owned()),
            ..ModelsArgs::default()
        });
        let line = table
            .lines()
            .find(|line| line.contains(" gemini-3.8-flash "))
            .unwrap();
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            cells[..6],
            [
                "google",
                "gemini-3.8-flash",
                "1048576",
                "0.75",
                "0.075",
                "3.75"
            ]
        );
        assert!(cells[6].contains("vision") && !table.contains("anthropic"));
        let free = table
            .lines()
            .find(|line| line.contains("gemma-4-31b-it"))
            .unwrap();
        assert!(
            free.contains(" - "),
            "a price that is not known is not zero: {free}"
        );
    }

    #[test]
    fn json_is_exact_and_filtered() {
        let args = ModelsArgs {
            json: true,
            capability: vec![Capability::Vision, Capability::Reasoning],
            max_input_price: Rate::parse("0.2"),
            ..ModelsArgs::default()
        };
        let text = printed(&args);
        let lines: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(lines.len() > 3);
        for line in &lines {
            assert!(line["price"]["input"].as_f64().unwrap() <= 0.2, "{line}");
            let has = |name: &str| {
                line["capabilities"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|known| known == name)
            };
            assert!(has("vision") && has("reasoning"), "{line}");
        }
        assert!(
            lines
                .iter()
                .any(|line| line["id"] == "claude-haiku-5-5" && line["price"]["varies"] == true)
        );
    }

    #[test]
    fn an_unknown_provider_is_named() {
        let args = ModelsArgs {
            provider: Some("nobody".to_owned()),
            ..ModelsArgs::default()
        };
        let error = run(&args, &Catalog::builtin().unwrap(), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("'nobody'") && error.to_string().contains("anthropic"));
    }
}
