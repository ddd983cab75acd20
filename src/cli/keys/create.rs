//! `waypost keys create`.

use std::io::Write;

use clap::{Args, ValueEnum};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::json;

use crate::account::key::{self, ANY, Hash, Limits, Promise, Telling, Unpriced};
use crate::account::{Budget, Key, Money, Period, Rights};
use crate::config::{Config, instant};
use crate::gateway::keyring::{Door, Keyring};
use crate::gateway::rules::canonical;
use crate::route::names::AUTO;
use crate::store::sqlite::keys::{KeyRow, Made, all, make};

use super::place::{KeysError, Place};

/// The most of a rate: one in each nanosecond.
const MOST: u64 = 60_000_000_000;

/// Arguments of `keys create`.
#[derive(Clone, Debug, Default, Args)]
pub struct CreateArgs {
    /// What it is called wherever it is told of: letters, digits and -_. only.
    pub name: String,
    /// The key that it is made from: it never may more than that one, and what it spends counts for both.
    #[arg(long, value_name = "KEY")]
    pub from: Option<String>,
    /// When it ends, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD[THH:MM:SSZ]", value_parser = time)]
    pub expires: Option<u64>,
    /// Providers, models and families that it may use [default: all].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub models: Vec<String>,
    /// Strategies that it may ask for [default: all].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub strategies: Vec<String>,
    /// The tenant that its calls are for.
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// Tenants that its callers may name instead; * is any.
    #[arg(long, value_name = "TENANT,…", value_delimiter = ',')]
    pub tenants: Vec<String>,
    /// What it may spend, in dollars by day, month or total.
    #[arg(long, value_name = "USD/PERIOD", value_parser = budget)]
    pub budget: Option<Budget>,
    /// Requests a minute.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub rpm: Option<u64>,
    /// Tokens a minute.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub tpm: Option<u64>,
    /// Calls at once.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: Option<u32>,
    /// What its calls are marked with in the ledger.
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// What its callers may mark them with besides, by x-waypost-tags; * is anything.
    #[arg(long, value_name = "TAG,…", value_delimiter = ',')]
    pub may_tag: Vec<String>,
    /// What the notes of its calls promise [default: what the ledger does].
    #[arg(long, value_enum)]
    pub sync: Option<Sync>,
    /// What becomes of models without a price where a budget is to be kept.
    #[arg(long, value_enum, default_value_t)]
    pub unpriced: Choice,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What becomes of models without a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// They are refused.
    #[default]
    Refuse,
    /// They pass, and count for nothing.
    Allow,
}

/// What the note of a call promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sync {
    /// It survives the process.
    Balanced,
    /// It survives a power cut.
    Full,
    /// Nothing.
    Off,
}

/// Makes a key and shows its secret.
///
/// # Errors
/// Why it was not made.
pub fn run(
    args: &CreateArgs,
    config: &Config,
    place: &Place,
    now: u64,
    (out, aside): (&mut dyn Write, &mut dyn Write),
) -> Result<(), KeysError> {
    let mut random = [0; 32];
    let drawn = SystemRandom::new().fill(&mut random);
    drawn.map_err(|_| KeysError::Random)?;
    let secret = key::secret(random);
    let key = Key {
        name: args.name.clone(),
        hash: Hash::of(&secret),
        made_from: args.from.clone(),
        rights: rights(args, config).map_err(KeysError::Wrong)?,
    };
    let stored = place.told(all(&place.connection))?;
    check(&key, config, &stored).map_err(KeysError::Wrong)?;
    if place.told(make(&place.connection, &key, now))? == Made::Taken {
        return Err(KeysError::Wrong(taken(&key.name)));
    }
    let written = if args.json {
        let told = json!({"name": key.name, "secret": secret, "from": key.made_from, "rights": key.rights});
        writeln!(out, "{told}")
    } else {
        let name = &key.name;
        let note = format!("The secret of '{name}' is shown this once; only its hash is kept.");
        writeln!(aside, "{note}").and_then(|()| writeln!(out, "{secret}"))
    };
    written.map_err(KeysError::Output)
}

fn taken(name: &str) -> String {
    format!(
        "there is a key '{name}', or was; take another name, as rows of the ledger bear this one"
    )
}

fn rights(args: &CreateArgs, config: &Config) -> Result<Rights, String> {
    let models = args.models.iter().map(|name| {
        let unknown = || format!("there is no model and no provider '{name}'");
        canonical(&config.catalog, name).ok_or_else(unknown)
    });
    let models = models.collect::<Result<Vec<_>, _>>()?;
    let named = args.tenant.iter().chain(&args.tenants);
    for tenant in named.filter(|name| *name != ANY) {
        if !config.routing.tenants.is_empty() && config.routing.tenant(tenant).is_none() {
            return Err(format!("there is no tenant '{tenant}' in waypost.toml"));
        }
    }
    let known = |name: &&String| *name == AUTO || config.routing.strategy(name).is_some();
    if let Some(unknown) = args.strategies.iter().find(|name| !known(name)) {
        return Err(format!("there is no strategy '{unknown}'"));
    }
    let tags = args.tags.iter().chain(&args.may_tag);
    let odd = |tag: &&String| !key::is_name(tag) && *tag != ANY;
    let any = args.tags.iter().find(|tag| *tag == ANY);
    if let Some(odd) = any.or_else(|| tags.into_iter().find(odd)) {
        return Err(format!(
            "the tag '{odd}' is not of letters, digits and -_. only, at most 64"
        ));
    }
    Ok(Rights {
        expires: args.expires,
        models: if models.is_empty() {
            Vec::new()
        } else {
            vec![models]
        },
        strategies: (!args.strategies.is_empty()).then(|| args.strategies.clone()),
        tenant: args.tenant.clone(),
        tenants: args.tenants.clone(),
        budget: args.budget,
        limits: Limits {
            rpm: args.rpm,
            tpm: args.tpm,
            concurrency: args.concurrency,
        },
        tags: args.tags.clone(),
        may_tag: args.may_tag.clone(),
        sync: args.sync.map(|sync| match sync {
            Sync::Balanced => Promise::Balanced,
            Sync::Full => Promise::Full,
            Sync::Off => Promise::Off,
        }),
        unpriced: match args.unpriced {
            Choice::Refuse => Unpriced::Refuse,
            Choice::Allow => Unpriced::Allow,
        },
        metadata: Telling::Usual,
    })
}

/// Whether the key can be used among the others.
fn check(key: &Key, config: &Config, stored: &[KeyRow]) -> Result<(), String> {
    if !key::is_name(&key.name) {
        return Err(
            "the name of a key has letters, digits and -_. only, at most 64 of them".into(),
        );
    }
    if config.keys.iter().any(|other| other.name == key.name) {
        return Err(taken(&key.name));
    }
    let live = stored.iter().filter(|row| row.revoked.is_none());
    let mut all: Vec<Key> = live.map(|row| row.key.clone()).collect();
    if let Some(from) = &key.made_from {
        let known = all
            .iter()
            .chain(&config.keys)
            .any(|other| other.name == *from);
        if !known {
            return Err(format!("there is no key '{from}' to make one from"));
        }
    }
    all.push(key.clone());
    let ring = Keyring::new(Door::Keyed, config.keys.clone(), &config.routing.tenants);
    if ring.hold(&all).contains(&key.name) {
        let from = key.made_from.as_deref().unwrap_or_default();
        return Err(format!(
            "the key '{from}' may not call for that tenant, or was itself made from a key that is gone"
        ));
    }
    Ok(())
}

fn time(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no day like 2027-01-31, nor 2027-01-31T12:00:00Z");
    instant(text).ok_or_else(wrong)
}

/// `50/month`.
fn budget(text: &str) -> Result<Budget, String> {
    let wrong = || format!("'{text}' is no budget like 50/month, 2.50/day or 1000/total");
    let (usd, period) = text.split_once('/').ok_or_else(wrong)?;
    let period = match period {
        "day" => Period::Day,
        "month" => Period::Month,
        "total" => Period::Total,
        _ => return Err(wrong()),
    };
    let most = Money::parse(usd).ok_or_else(wrong)?;
    Ok(Budget { most, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_as_they_are_said() {
        let month = Budget {
            most: Money::nano(2_500_000_000),
            period: Period::Month,
        };
        assert_eq!(budget("2.5/month"), Ok(month));
        for bad in ["50", "50/week", "-1/day", "/day", "1e3/day", "50 / day"] {
            assert!(budget(bad).is_err(), "{bad}");
        }
    }
}
