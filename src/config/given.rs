//! Values of a provider's settings: from its table in the file, else from the environment.

use toml::Spanned;

use crate::catalog::deploy::NoModel;
use crate::catalog::form::ProviderForm;
use crate::catalog::setting::unfit;

use super::address::Base;
use super::expand::Env;
use super::file::{PROVIDER_KEYS, ProviderTable};
use super::problem::Flaw;

/// Gives a provider the settings of its table and of the environment, so that it has an address.
pub(super) fn settings(
    form: &mut ProviderForm,
    name: &Spanned<String>,
    table: &ProviderTable,
    env: Env<'_>,
) -> Result<(), Flaw> {
    for (key, value) in &table.settings {
        let Some(setting) = form.settings.get(key.get_ref()) else {
            return Err(unknown(form, key));
        };
        let wrong = (!setting.free).then(|| unfit(value.get_ref())).flatten();
        if let Some(why) = wrong {
            return Err(Flaw::at(value.span(), format!("{} {why}", key.get_ref())));
        }
        form.given.give(key.get_ref(), value.get_ref());
    }
    usual(form, env).map_err(|message| Flaw::at(name.span(), message))?;
    match form.address().missing.first() {
        Some(missing) => Err(Flaw::at(name.span(), lacking(form, missing))),
        None => Ok(()),
    }
}

/// Gives a provider what the usual variables hold. An empty variable is an unset one.
pub(super) fn usual(form: &mut ProviderForm, env: Env<'_>) -> Result<(), String> {
    let first = |names: &[String]| {
        let value = |name: &String| env(name).filter(|value| !value.is_empty());
        names
            .iter()
            .find_map(|name| Some((name.clone(), value(name)?)))
    };
    if let Some((variable, url)) = first(&form.base_url_env).filter(|_| !form.moved) {
        Base::parse(&url).map_err(|why| format!("the variable {variable}: {why}"))?;
        form.move_to(&url);
    }
    for (name, setting) in &form.settings {
        if form.given.value(name).is_some() || (setting.env_without_key && form.keyed) {
            continue;
        }
        let Some((variable, value)) = first(&setting.env) else {
            continue;
        };
        if let Some(why) = (!setting.free).then(|| unfit(&value)).flatten() {
            return Err(format!("the variable {variable} {why}"));
        }
        form.given.give(name, &value);
    }
    Ok(())
}

/// What to do about a setting that has no value.
pub(super) fn lacking(form: &ProviderForm, missing: &str) -> String {
    let variables = form.settings.get(missing).map(|setting| &setting.env);
    let variables = variables.filter(|names| !names.is_empty());
    let or = variables.map_or_else(String::new, |names| {
        format!(", or the variable {}", names.join(" or "))
    });
    let place = match form.base_url_env.first() {
        Some(variable) => format!("; base_url, or the variable {variable}, may stand in its place"),
        None => String::new(),
    };
    format!(
        "'{}' has no address without {missing}: set it in [providers.{}]{or}{place}",
        form.name, form.name
    )
}

fn unknown(form: &ProviderForm, key: &Spanned<String>) -> Flaw {
    let settings = form.settings.keys().map(String::as_str);
    let known: Vec<String> = PROVIDER_KEYS
        .into_iter()
        .chain(settings)
        .map(|name| format!("`{name}`"))
        .collect();
    let message = format!(
        "unknown field `{}`, expected one of {}",
        key.get_ref(),
        known.join(", ")
    );
    Flaw::at(key.span(), message)
}

/// Puts the deployments of a provider's table in the place of what the catalogue sells there.
pub(super) fn deployments(form: &mut ProviderForm, table: &ProviderTable) -> Result<(), Flaw> {
    let mut deployments: Vec<(&String, &Spanned<String>)> = table.deployments.iter().collect();
    if deployments.is_empty() {
        return Ok(());
    }
    deployments.sort_by_key(|(_, model)| model.span().start);
    let pairs: Vec<(&str, &str)> = deployments
        .iter()
        .map(|(name, model)| (name.as_str(), model.get_ref().as_str()))
        .collect();
    form.deploy(&pairs).map_err(|NoModel(wanted)| {
        let at = deployments
            .iter()
            .find(|(_, model)| *model.get_ref() == wanted);
        let message = format!(
            "'{}' is not known to sell '{wanted}'; for a model that the catalogue lacks, leave the deployment out here \
             and add [[models]] with id = \"{}/DEPLOYMENT\"",
            form.name, form.name
        );
        Flaw {
            span: at.map(|(_, model)| model.span()),
            message,
        }
    })
}
