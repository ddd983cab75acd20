//! What a usage costs, worked out a second time: from the price list's text and the provider's own counts, by rules
//! written down here alone. Nothing of the proxy's accounting is used.
//!
//! - Anthropic and Bedrock count fresh input beside what caches gave and took; the others count all input, of which a
//!   part was cached. Whoever tells more cached than sent counts that beside it, too.
//! - Output holds the reasoning, but for Gemini's thoughts, which stand beside it unless the total says otherwise, and
//!   for those whose total is the sum of all three.
//! - Writes to a cache cost by how long they are kept: the shortest time where nothing else is said.
//! - The whole request costs the rates of the band that its input reaches, times the factor of the tier that served it.
//! - Searches and calls that are billed apart have their fee by the thousand; no tier changes it.
//! - Sums are rounded once, to the nearest nano-dollar, halves up.

use std::path::Path;

use regex_lite::Regex;
use serde_json::Value as Json;
use toml::{Table, Value};

/// The day that prices are read for, a Wednesday at noon.
const DAY: &str = "2026-11-25";
const WEEKDAY: i64 = 3;
const MINUTE: u32 = 12 * 60;

/// Tokens, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) fresh: u64,
    pub(crate) audio: u64,
    pub(crate) read: u64,
    pub(crate) written: u64,
    pub(crate) written_hour: u64,
    pub(crate) output: u64,
    /// Web searches that the provider ran.
    pub(crate) searches: u64,
}

/// The price list of a provider.
pub(crate) struct List(Table);

impl List {
    pub(crate) fn read(provider: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/providers");
        let text = std::fs::read_to_string(root.join(format!("{provider}.toml"))).ok()?;
        Some(Self(text.parse().unwrap()))
    }

    /// The price of an id, and the factor of its place in ten-thousandths.
    pub(crate) fn price(&self, id: &str) -> Option<(Table, u128)> {
        let named = |name: &str| {
            self.models().find(|model| {
                let aliases = model.get("aliases").and_then(Value::as_array);
                let mut aliases = aliases.into_iter().flatten();
                text(model, "id") == Some(name) || aliases.any(|alias| alias.as_str() == Some(name))
            })
        };
        let fits =
            |pattern: Option<&str>| pattern.is_some_and(|p| Regex::new(p).unwrap().is_match(id));
        let place = |model: &Table| {
            let places = model.get("places").and_then(Value::as_array);
            let mut places = places.into_iter().flatten().filter_map(Value::as_table);
            let place = places.find(|place| fits(text(place, "pattern")))?;
            Some(text(place, "factor").map_or(10_000, |factor| decimal(factor, 4)))
        };
        let retired = self.0.get("retired").and_then(Value::as_array);
        let mut retired = retired.into_iter().flatten().filter_map(Value::as_table);
        let is_retired = retired.any(|gone| text(gone, "id") == Some(id));
        let dated = || {
            self.models()
                .find(|model| fits(text(model, "pattern")) || place(model).is_some())
        };
        let (model, factor) = match named(id) {
            Some(model) => (model, 10_000),
            None if is_retired => return None,
            None if dated().is_none() => {
                let rules = self.0.get("rules").and_then(Value::as_array);
                let mut rules = rules.into_iter().flatten().filter_map(Value::as_table);
                (rules.find(|rule| fits(text(rule, "pattern")))?, 10_000)
            }
            None => {
                let model = dated()?;
                let plain = fits(text(model, "pattern"));
                (model, if plain { 10_000 } else { place(model).unwrap() })
            }
        };
        let billed = model.get("billed_as").and_then(Value::as_table);
        let billed = billed.filter(|billed| text(billed, "from").unwrap() <= DAY);
        let model = billed.map_or(model, |billed| {
            named(text(billed, "model").unwrap()).unwrap()
        });
        Some((model.get("price")?.as_table()?.clone(), factor))
    }

    fn models(&self) -> impl Iterator<Item = &Table> {
        let models = self.0.get("models").and_then(Value::as_array);
        models.into_iter().flatten().filter_map(Value::as_table)
    }
}

fn text<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    table.get(name).and_then(Value::as_str)
}

/// A decimal times ten to the power of `places`.
fn decimal(text: &str, places: usize) -> u128 {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{behind:0<places$}").parse().unwrap()
}

/// Nano-dollars of a usage.
pub(crate) fn nano(counts: &Counts, price: &Table, place: u128, tier: Option<&str>) -> u128 {
    let rates = rates(price, counts);
    let pico = |name: &str| {
        let rate = text(rates, name).or_else(|| text(price, name))?;
        Some((decimal(rate, 6) * place).div_ceil(10_000))
    };
    let input = pico("input").unwrap();
    let write = |hour: bool| {
        let of = |table: &Table| -> Option<u128> {
            let writes = table.get("cache_write")?.as_table()?;
            let minutes = |key: &str| {
                let (number, unit) = key.split_at(key.len() - 1);
                number.parse::<u32>().unwrap() * if unit == "h" { 60 } else { 1 }
            };
            let shortest = writes.keys().min_by_key(|key| minutes(key))?;
            let key = if hour && writes.contains_key("1h") {
                "1h"
            } else {
                shortest
            };
            Some((decimal(writes[key].as_str()?, 6) * place).div_ceil(10_000))
        };
        of(rates).or_else(|| of(price)).unwrap_or(input)
    };
    let tiers = price.get("service_tiers").and_then(Value::as_table);
    let factor = tier
        .and_then(|tier| text(tiers?, tier))
        .map_or(10_000, |factor| decimal(factor, 4));
    let sum = u128::from(counts.fresh) * input
        + u128::from(counts.audio) * pico("audio_input").unwrap_or(input)
        + u128::from(counts.read) * pico("cache_read").unwrap_or(input)
        + u128::from(counts.written) * write(false)
        + u128::from(counts.written_hour) * write(true)
        + u128::from(counts.output) * pico("output").unwrap();
    let extra = price.get("extra").and_then(Value::as_table);
    let fee = |name: &str| {
        extra
            .and_then(|extra| text(extra, name))
            .map_or(0, |fee| decimal(fee, 6))
    };
    let fees = fee("calls_per_1k") + fee("web_search_per_1k") * u128::from(counts.searches);
    // A dollar for a thousand calls is a million nano-dollars for one.
    (sum * factor + fees * 1_000 * 10_000 + 5_000_000) / 10_000_000
}

/// The rates in force for a request of this size.
fn rates<'a>(price: &'a Table, counts: &Counts) -> &'a Table {
    let input = counts.fresh + counts.audio + counts.read + counts.written + counts.written_hour;
    let rows = |name: &str| {
        price
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_table)
    };
    let now = rows("scheduled").filter(|row| text(row, "from").unwrap() <= DAY);
    let now = now.max_by_key(|row| text(row, "from"));
    let reached = |row: &&Table| row["from"].as_integer().unwrap() <= i64::try_from(input).unwrap();
    let band = rows("bands")
        .filter(reached)
        .max_by_key(|row| row["from"].as_integer());
    let peak = price
        .get("peak")
        .and_then(Value::as_table)
        .filter(|peak| is_peak(peak));
    band.or(peak).or(now).unwrap_or(price)
}

fn is_peak(peak: &Table) -> bool {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
    };
    let windows = peak["windows"].as_array().unwrap().iter();
    let within = |window: &Value| {
        let (from, to) = window.as_str().unwrap().split_once('-').unwrap();
        (minute(from)..minute(to)).contains(&MINUTE)
    };
    let days = peak["weekdays"].as_array().unwrap();
    days.iter().any(|day| day.as_integer() == Some(WEEKDAY)) && { windows }.any(within)
}

/// The counts that a provider tells in its own words, all its usage objects laid over one another.
pub(crate) fn counts(dialect: &str, usage: &Json) -> Counts {
    let at = |path: &str| {
        usage
            .pointer(path)
            .and_then(Json::as_f64)
            .map(|n| format!("{n:.0}").parse::<u64>().unwrap())
    };
    let or_none = |path: &str| at(path).unwrap_or(0);
    match dialect {
        "anthropic" => {
            let hour = at("/cache_creation/ephemeral_1h_input_tokens");
            let written = or_none("/cache_creation_input_tokens");
            Counts {
                fresh: or_none("/input_tokens"),
                read: or_none("/cache_read_input_tokens"),
                written: written - hour.unwrap_or(0).min(written),
                written_hour: hour.unwrap_or(0),
                output: or_none("/output_tokens"),
                searches: or_none("/server_tool_use/web_search_requests"),
                ..Counts::default()
            }
        }
        "bedrock" => Counts {
            fresh: or_none("/inputTokens"),
            read: or_none("/cacheReadInputTokens"),
            written: or_none("/cacheWriteInputTokens"),
            output: or_none("/outputTokens"),
            ..Counts::default()
        },
        "cohere" => Counts {
            fresh: or_none("/billed_units/input_tokens"),
            output: or_none("/billed_units/output_tokens"),
            ..Counts::default()
        },
        "gemini" => gemini(usage, &or_none),
        "openai-responses" => {
            let read = or_none("/input_tokens_details/cached_tokens");
            let written = or_none("/input_tokens_details/cache_write_tokens");
            Counts {
                fresh: or_none("/input_tokens") - read - written,
                read,
                written,
                output: or_none("/output_tokens"),
                ..Counts::default()
            }
        }
        _ => plain(&at),
    }
}

fn gemini(usage: &Json, or_none: &dyn Fn(&str) -> u64) -> Counts {
    let input = or_none("/promptTokenCount") + or_none("/toolUsePromptTokenCount");
    let (said, thoughts) = (
        or_none("/candidatesTokenCount"),
        or_none("/thoughtsTokenCount"),
    );
    let held = thoughts > 0 && thoughts <= said && or_none("/totalTokenCount") == input + said;
    let of_sound = |row: &&Json| row["modality"] == "AUDIO";
    let details = usage["promptTokensDetails"].as_array();
    let audio = details.and_then(|rows| rows.iter().find(of_sound)?["tokenCount"].as_u64());
    let read = or_none("/cachedContentTokenCount");
    let audio = audio.unwrap_or(0).min(input - read);
    Counts {
        fresh: input - read - audio,
        audio,
        read,
        output: if held { said } else { said + thoughts },
        ..Counts::default()
    }
}

fn plain(at: &dyn Fn(&str) -> Option<u64>) -> Counts {
    let (mut input, mut output) = (
        at("/prompt_tokens").unwrap_or(0),
        at("/completion_tokens").unwrap_or(0),
    );
    let thoughts =
        at("/completion_tokens_details/reasoning_tokens").or_else(|| at("/reasoning_tokens"));
    let thoughts = thoughts.unwrap_or(0);
    if thoughts > 0 && at("/total_tokens") == Some(input + output + thoughts) {
        output += thoughts;
    }
    let read = at("/prompt_tokens_details/cached_tokens");
    let read = read
        .or_else(|| at("/prompt_cache_hit_tokens"))
        .or_else(|| at("/cached_tokens"))
        .unwrap_or(0);
    if read > input {
        input += read;
    }
    let written = at("/prompt_tokens_details/cache_write_tokens").unwrap_or(0);
    let fresh = input - read - written;
    let audio = at("/prompt_tokens_details/audio_tokens")
        .unwrap_or(0)
        .min(fresh);
    Counts {
        fresh: fresh - audio,
        audio,
        read,
        written,
        output,
        ..Counts::default()
    }
}
