//! Houses with a configuration of their own.

use std::path::Path;

use waypost::app::{App, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange};

use crate::support;
use crate::world::{PROVIDERS, answer, once};

/// A house with the four providers and more configuration; `but` says what some of them answer instead.
pub(crate) async fn own_house(more: &str, but: &[(&str, Answer)]) -> App {
    let keys = PROVIDERS.map(|name| format!("[providers.{name}]\napi_key = \"k\"\n"));
    let text = format!("{}{more}", keys.concat());
    let config = Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap();
    let exchanges = PROVIDERS.map(|name| {
        let other = but.iter().find(|(known, _)| *known == name);
        Exchange::any(name, other.map_or_else(answer, |(_, other)| other.clone()))
    });
    support::app_in(exchanges.to_vec(), once(config), Setting::default()).await
}

/// Who was asked, in order.
pub(crate) fn asked(app: &App) -> Vec<String> {
    let seen = app.replay().unwrap().seen();
    seen.iter().map(|seen| seen.provider.clone()).collect()
}
