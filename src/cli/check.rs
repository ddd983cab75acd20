//! `waypost check`: reads the configuration and says what is wrong with it, or what is on. Keys are counted, never
//! shown.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::app::tls;
use crate::config::{Auth, Config, EX_CONFIG, Metrics, Problem};

/// Reads the configuration and prints what is wrong with file, line and column, or what is on.
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "Exit code 78 where the configuration cannot be used.\n\nExamples:\n  waypost check\n  \
    waypost check --config waypost.toml --probe"
)]
pub struct CheckArgs {
    /// The file to read [default: waypost.toml if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Make one tiny real call to each provider that is on. It costs a fraction of a cent.
    #[arg(long)]
    pub probe: bool,
}

/// What came of it.
#[derive(Debug)]
pub enum Checked {
    /// It can be used; whoever probes goes on from here.
    Usable(Box<Config>),
    /// It cannot.
    Wrong(Problem),
    /// A file that it names cannot.
    Unusable,
}

impl Checked {
    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usable(_) => 0,
            Self::Wrong(_) | Self::Unusable => EX_CONFIG,
        }
    }
}

/// Reads the configuration and prints what it finds.
///
/// # Errors
/// Where `out` cannot be written.
pub fn run(
    args: &CheckArgs,
    env: &dyn Fn(&str) -> Option<String>,
    out: &mut dyn Write,
) -> io::Result<Checked> {
    match Config::load(args.config.as_deref(), env) {
        Ok(config) => {
            if let Err(error) = tls::check(&config) {
                writeln!(out, "{error}")?;
                return Ok(Checked::Unusable);
            }
            report(&config, out)?;
            Ok(Checked::Usable(Box::new(config)))
        }
        Err(problem) => {
            writeln!(out, "{problem}")?;
            Ok(Checked::Wrong(problem))
        }
    }
}

fn report(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    match &config.file {
        Some(file) => writeln!(out, "{}: ok", file.display())?,
        None => writeln!(out, "no configuration file; the environment decides")?,
    }
    let who = match config.auth {
        Auth::Loopback => "anybody on this machine may call",
        Auth::None => "anybody may call",
        Auth::Keys => "callers bring a key made here",
        Auth::Passthrough => "callers bring their own provider key",
    };
    writeln!(out, "listen {}: {who}", config.listen)?;
    house(config, out)?;
    if config.active.is_empty() {
        writeln!(
            out,
            "\nno provider is on. Set one of these variables, or name a provider in waypost.toml:"
        )?;
        let providers = config
            .catalog
            .providers()
            .iter()
            .filter(|provider| !provider.env.is_empty());
        for provider in providers {
            writeln!(out, "  {:<20} {}", provider.env.join(", "), provider.name)?;
        }
    } else {
        writeln!(out, "\n{} on:", count(config.active.len(), "provider"))?;
        for active in &config.active {
            let provider = &active.provider;
            let keys = match &active.source {
                Some(_) => "no key".to_owned(),
                None => count(active.keys.len(), "key"),
            };
            let models = count(provider.models.len(), "model");
            let (name, dialect, url) =
                (&provider.name, provider.dialect.name(), &provider.base_url);
            writeln!(
                out,
                "  {name:<12} {dialect:<10} {keys:<8} {models:<11} {url}"
            )?;
            if let Some(source) = &active.source {
                writeln!(out, "  {:<12} credential: {}", "", source.name())?;
            }
        }
    }
    keys(config, out)?;
    for note in &config.notes {
        writeln!(out, "\nnote: {note}")?;
    }
    Ok(())
}

/// The keys of the file by their names, and what each is bound to.
fn keys(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    if let Some(budget) = config.together.budget {
        let (most, period) = (budget.most, budget.period.as_str());
        writeln!(out, "\nbudget of all calls: ${most} ({period})")?;
    }
    if config.keys.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} in the file:", count(config.keys.len(), "key"))?;
    for key in &config.keys {
        let rights = &key.rights;
        let tenant = rights.tenant.as_deref().unwrap_or("-");
        let budget = rights.budget.map_or_else(
            || "no budget".to_owned(),
            |budget| format!("${} ({})", budget.most, budget.period.as_str()),
        );
        let from = key.made_from.as_deref().unwrap_or("-");
        writeln!(
            out,
            "  {:<16} tenant {tenant:<12} from {from:<12} {budget}",
            key.name
        )?;
    }
    Ok(())
}

/// How clients speak to it, and who may watch.
fn house(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    if let Some(certificate) = config.tls.certificate() {
        writeln!(out, "TLS: {}", certificate.chain.display())?;
    }
    match config.metrics {
        Metrics::Loopback => Ok(()),
        Metrics::Open => writeln!(out, "figures: to whoever may reach {}", config.listen),
        Metrics::At(addr) => writeln!(out, "figures: at {addr}"),
    }
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(file: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> (Checked, String) {
        let path = file.map(|text| {
            let name = format!("waypost-check-{}-{}.toml", std::process::id(), text.len());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        let mut out = Vec::new();
        let args = CheckArgs {
            config: path.clone(),
            probe: false,
        };
        let checked = run(&args, env, &mut out).unwrap();
        if let Some(path) = path {
            std::fs::remove_file(path).unwrap();
        }
        (checked, String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_on_is_told_without_keys() {
        let env = |name: &str| (name == "ANTHROPIC_API_KEY").then(|| "sk-ant-secret".to_owned());
        let (checked, text) = checked(None, &env);
        assert_eq!(checked.exit_code(), 0);
        assert!(
            text.contains("1 provider on") && text.contains("anthropic") && text.contains("1 key "),
            "{text}"
        );
        assert!(!text.contains("secret"));
    }

    #[test]
    fn where_a_credential_comes_from_is_told_without_it() {
        let file = "[providers.azure]\nresource = \"acme\"\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret = \"very-secret\"\n";
        let (checked, text) = checked(Some(file), &|_| None);
        assert_eq!(checked.exit_code(), 0, "{text}");
        assert!(
            text.contains("credential: Entra application with a client secret"),
            "{text}"
        );
        assert!(!text.contains("very-secret"));
    }

    #[test]
    fn keys_are_told_by_name_without_secrets() {
        let file = "auth = \"keys\"\n[[keys]]\nname = \"ci\"\nsecret = \"a-very-secret-secret\"\nbudget = { usd = 5, period = \"day\" }\n";
        let (checked, text) = checked(Some(file), &|_| None);
        assert_eq!(checked.exit_code(), 0, "{text}");
        assert!(
            text.contains("1 key in the file") && text.contains("ci ") && text.contains("$5 (day)"),
            "{text}"
        );
        assert!(
            !text.contains("secret") && !text.contains("sha256"),
            "{text}"
        );
    }

    #[test]
    fn nothing_on_lists_the_variables() {
        let (checked, text) = checked(None, &|_| None);
        assert_eq!(checked.exit_code(), 0);
        assert!(
            text.contains("OPENAI_API_KEY") && text.contains("GEMINI_API_KEY, GOOGLE_API_KEY"),
            "{text}"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let (checked, text) = checked(Some("listen = \"127.0.0.1:1\"\n  typo = 1\n"), &|_| None);
        assert_eq!(checked.exit_code(), 78);
        assert!(text.contains(".toml:2:3: unknown field `typo`"), "{text}");
    }
}
