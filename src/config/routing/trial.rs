//! `[experiments.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;

use crate::route::experiment::{Experiment, Shadow, Split, Sticky, Trial};
use crate::route::names::Routing;
use crate::route::target::prefixed;

use super::super::problem::Flaw;
use super::name::{self, Ground, LARGEST, within};
use super::tables::{ExperimentTable, Named, Span};

/// How long a copy may take unless the file says otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

/// Checks each experiment; no name takes part in two splits.
pub(super) fn experiments(
    tables: &Named<ExperimentTable>,
    ground: Ground<'_>,
    routing: &mut Routing,
) -> Result<(), Flaw> {
    let mut all: Vec<Experiment> = Vec::with_capacity(tables.len());
    for (named, table) in tables {
        name::check("an experiment", named, ground, routing)?;
        let trial = trial(named, table, ground, routing)?;
        let mut on = Vec::with_capacity(table.applies_to.len());
        for name in &table.applies_to {
            ground.find(name, routing)?;
            let both = |one: &&Experiment| {
                matches!((&one.trial, &trial), (Trial::Split(_), Trial::Split(_)))
                    && one.on.contains(name.get_ref())
            };
            if let Some(other) = all.iter().find(both) {
                let message = format!(
                    "'{}' takes part in '{}' already",
                    name.get_ref(),
                    other.name
                );
                return Err(Flaw::at(name.span(), message));
            }
            on.push(name.get_ref().clone());
        }
        let name = named.get_ref().clone();
        all.push(Experiment { name, on, trial });
    }
    routing.experiments = all;
    Ok(())
}

fn trial(
    named: &Spanned<String>,
    table: &ExperimentTable,
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<Trial, Flaw> {
    match (&table.split, &table.shadow) {
        (Some(_), Some(shadow)) => Err(Flaw::at(shadow.span(), "give split or shadow, not both")),
        (None, None) => {
            let message = "an experiment has a split among arms, or a shadow model";
            Err(Flaw::at(named.span(), message))
        }
        (Some(split), None) => {
            let strays = [
                table.share.as_ref().map(|_| "share"),
                table.timeout.map(|_| "timeout"),
                table.max_cost_usd.map(|_| "max_cost_usd"),
            ];
            if let Some(stray) = strays.into_iter().flatten().next() {
                let message = format!("`{stray}` is of shadows; a split has arms and sticky");
                return Err(Flaw::at(named.span(), message));
            }
            Ok(Trial::Split(Split {
                arms: arms(split, ground, routing)?,
                sticky: table.sticky.as_ref().map_or(Ok(Sticky::Key), sticky)?,
            }))
        }
        (None, Some(model)) => shadow(named, table, model, ground).map(Trial::Shadow),
    }
}

fn arms(
    split: &Spanned<BTreeMap<String, Spanned<f64>>>,
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<Vec<(String, f64)>, Flaw> {
    let mut arms = Vec::with_capacity(split.get_ref().len());
    for (arm, weight) in split.get_ref() {
        ground.find_at(arm, weight.span(), routing)?;
        arms.push((arm.clone(), within("a share", weight, (0.0, LARGEST))?));
    }
    let drawn = arms.iter().any(|(_, weight)| *weight > 0.0);
    if arms.len() < 2 || !drawn {
        let message = "a split has two arms or more, one of them with a share above 0";
        return Err(Flaw::at(split.span(), message));
    }
    Ok(arms)
}

fn sticky(word: &Spanned<String>) -> Result<Sticky, Flaw> {
    match word.get_ref().as_str() {
        "key" => Ok(Sticky::Key),
        "user" => Ok(Sticky::User),
        "session" => Ok(Sticky::Session),
        "request" => Ok(Sticky::Request),
        other => Err(Flaw::at(
            word.span(),
            format!("sticky is \"key\", \"user\", \"session\" or \"request\", not \"{other}\""),
        )),
    }
}

fn shadow(
    named: &Spanned<String>,
    table: &ExperimentTable,
    model: &Spanned<String>,
    ground: Ground<'_>,
) -> Result<Shadow, Flaw> {
    if prefixed(model.get_ref(), ground.known()).is_none() {
        let message = "a shadow is one model: \"provider/model\"";
        return Err(Flaw::at(model.span(), message));
    }
    ground.model(model.get_ref(), model.span())?;
    if table.applies_to.is_empty() {
        let message =
            "a shadow needs applies_to: the models, pools or strategies whose calls are copied";
        return Err(Flaw::at(named.span(), message));
    }
    if let Some(sticky) = &table.sticky {
        let message = "sticky is of splits; shadows are drawn for each request";
        return Err(Flaw::at(sticky.span(), message));
    }
    let share = table.share.as_ref();
    let share = share.map(|share| within("share", share, (0.0, 1.0)));
    Ok(Shadow {
        model: model.get_ref().clone(),
        share: share.transpose()?.unwrap_or(1.0),
        most: table.max_cost_usd,
        timeout: table.timeout.map_or(PATIENCE, |Span(span)| span),
    })
}
