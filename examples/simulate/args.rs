//! What is asked for on the command line.

/// The seed of the tables in the documentation.
pub(crate) const SEED: u64 = 20_261_125;

const USAGE: &str = "usage: simulate [--seed N] [--seeds COUNT | --only SCENARIO | --regret]";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) seed: u64,
    pub(crate) what: What,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Every table of one seed.
    One,
    /// A line for each of so many seeds.
    Several(usize),
    /// Where time and calls are lost against the oracles, by cause.
    Regret,
    /// Completion times in scenarios of such a name.
    Only(String),
}

impl Args {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            seed: SEED,
            what: What::One,
        };
        while let Some(word) = words.next() {
            if word == "--regret" {
                args.what = What::Regret;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word}: {USAGE}"))?;
            let number = || {
                value
                    .parse()
                    .map_err(|_| format!("{word} {value}: {USAGE}"))
            };
            match word.as_str() {
                "--seed" => args.seed = number()?,
                "--seeds" => args.what = What::Several(number()? as usize),
                "--only" => args.what = What::Only(value),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(args)
    }
}

/// A seed and those that follow it: 1, 2, 3 and so on, that nobody can have picked.
pub(crate) fn seeds(first: u64) -> impl Iterator<Item = u64> {
    std::iter::once(first).chain(1..)
}
