//! From `[faults]` to what a replay does wrong.

use std::time::Duration;

use crate::config::faults::{Fault, Faulty, Rehearsed};
use crate::config::{Config, Problem};
use crate::dialect::refusing::{Refusing, refusing};
use crate::fixture::{self, Answer, Disturbance, Step};

/// Refuses faults where nothing is played: what is real is not broken on purpose.
///
/// # Errors
/// Where any are configured.
pub fn only_played(config: &Config) -> Result<(), Problem> {
    if config.faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        "[faults] rehearses outages of recorded providers, and does nothing to real ones: start with --replay, or take \
         the table out",
    ))
}

/// The disturbances of a replay.
#[must_use]
pub fn disturbances(config: &Config) -> Vec<Disturbance> {
    // A model's own faults are found before those of its provider.
    let (models, providers): (Vec<&Faulty>, Vec<&Faulty>) = config
        .faults
        .iter()
        .partition(|faulty| faulty.model.is_some());
    let all = models.into_iter().chain(providers);
    all.map(|faulty| {
        let dialect = config.catalog.provider(&faulty.provider);
        let dialect = dialect.map_or("", |known| known.dialect.name());
        let steps = faulty
            .faults
            .iter()
            .filter_map(|fault| step(fault, dialect));
        Disturbance::new(
            faulty.provider.clone(),
            faulty.model.clone(),
            steps.collect(),
        )
    })
    .collect()
}

fn step(fault: &Fault, dialect: &str) -> Option<Step> {
    let done = match fault.what {
        Rehearsed::Refuses(why, _) => refused(why, fault.wait, dialect)?,
        Rehearsed::Flapping => refused(Refusing::Overloaded, Duration::ZERO, dialect)?,
        Rehearsed::Reset => fixture::Fault::Resets,
        Rehearsed::Silence => fixture::Fault::IsSilent,
        Rehearsed::SlowFirstToken => fixture::Fault::SpeaksLate(fault.wait),
        Rehearsed::Cut => fixture::Fault::BreaksOff,
        Rehearsed::Stall => fixture::Fault::Stalls(fault.wait),
        Rehearsed::MalformedChunk => fixture::Fault::Garbles,
        Rehearsed::NoDone => fixture::Fault::LacksItsEnd,
    };
    Some(Step {
        fault: done,
        times: fault.times,
        lasts: (fault.what == Rehearsed::Flapping).then_some(fault.wait),
    })
}

/// A refusal in the words of a dialect, with a `retry-after` where there is a wait.
fn refused(why: Refusing, wait: Duration, dialect: &str) -> Option<fixture::Fault> {
    let (status, body) = refusing(dialect, why)?;
    let mut answer = Answer::json(status, body);
    if !wait.is_zero() {
        answer = answer.header("retry-after", &wait.as_secs_f64().ceil().to_string());
    }
    Some(match why {
        Refusing::Prefilled => fixture::Fault::RefusesPrefill(answer),
        Refusing::Limited
        | Refusing::Broken
        | Refusing::Overloaded
        | Refusing::TooLong
        | Refusing::Filtered => fixture::Fault::Refuses(answer),
    })
}
