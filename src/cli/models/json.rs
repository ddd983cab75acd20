//! A model of the catalogue as JSON. Prices are exact decimal numbers.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::catalog::{Model, Provider, Speed};

use super::capability::Capability;

/// One model.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    provider: &'a str,
    id: &'a str,
    name: &'a str,
    family: &'a str,
    aliases: &'a [String],
    status: &'static str,
    shutdown: Option<String>,
    successor: Option<&'a str>,
    dialect: &'static str,
    context: Option<u64>,
    max_input: Option<u64>,
    max_output: Option<u64>,
    price: Option<PriceLine<'a>>,
    capabilities: Vec<String>,
    efforts: Vec<&'static str>,
    quality: Option<Box<RawValue>>,
    speed: Option<&'static str>,
}

#[derive(Serialize)]
struct PriceLine<'a> {
    input: Option<Box<RawValue>>,
    output: Option<Box<RawValue>>,
    cache_read: Option<Box<RawValue>>,
    /// Whether there are dearer bands, hours or days to come.
    varies: bool,
    source: &'a str,
    checked: Option<String>,
}

impl<'a> Line<'a> {
    pub(super) fn new(provider: &'a Provider, model: &'a Model) -> Self {
        let caps = &model.caps;
        let price = model.price.as_ref().map(|price| PriceLine {
            input: number(&price.rates.input),
            output: number(&price.rates.output),
            cache_read: price.rates.cache_read.as_ref().and_then(number),
            varies: !price.bands.is_empty()
                || !price.scheduled.is_empty()
                || price.peak.is_some()
                || price.floating,
            source: &price.source,
            checked: price.checked.map(|day| day.to_string()),
        });
        Self {
            provider: &provider.name,
            id: &model.id,
            name: &model.name,
            family: &model.family,
            aliases: &model.aliases,
            status: model.status.as_str(),
            shutdown: model.shutdown.map(|day| day.to_string()),
            successor: model.successor.as_deref(),
            dialect: model.dialect.name(),
            context: caps.context,
            max_input: caps.max_input,
            max_output: caps.max_output,
            price,
            capabilities: Capability::all(caps),
            efforts: caps
                .reasoning
                .levels
                .iter()
                .map(|level| level.as_str())
                .collect(),
            quality: model.quality.and_then(|quality| number(&quality.index)),
            speed: model.speed.map(Speed::as_str),
        }
    }
}

/// A decimal as a JSON number, digit for digit.
fn number(decimal: &impl ToString) -> Option<Box<RawValue>> {
    RawValue::from_string(decimal.to_string()).ok()
}
