//! Recorded exchanges that tell a usage: as whom each is played, what it says, and what it must cost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use waypost::catalog::Catalog;
use waypost::fixture::{Answer, End, Framing, Piece};

use crate::rule::{self, Counts, List};

/// The price of a model that the catalogue has none for.
pub(crate) const OWN: &str = r#"input = "1.3", output = "7.7", cache_read = "0.17", cache_write = { 5m = "1.9", 1h = "3.1" }, audio_input = "2.3""#;

/// One recording.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) dialect: String,
    /// Who is asked here, and under which id.
    pub(crate) provider: String,
    pub(crate) model: String,
    /// Whether the price is ours, for the test.
    pub(crate) own: bool,
    pub(crate) record: Value,
    body: Vec<u8>,
    pub(crate) usage: Value,
}

pub(crate) fn recordings(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expect.json"));
    paths.sort();
    paths
}

pub(crate) fn read(path: &Path, catalog: &Catalog) -> Option<Case> {
    let record: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let response = &record["response"];
    let body = match response["body_base64"].as_str() {
        Some(coded) => BASE64_STANDARD.decode(coded).unwrap(),
        None => response["body"].as_str()?.as_bytes().to_vec(),
    };
    let dialect = record["dialect"].as_str()?.to_owned();
    let usage = usage(&body, &dialect).filter(|_| response["status"] == 200)?;
    let counts = [
        "prompt_tokens",
        "input_tokens",
        "inputTokens",
        "promptTokenCount",
        "billed_units",
    ];
    if !counts.iter().any(|name| usage.get(name).is_some()) || is_broken(path) {
        return None;
    }
    let recorded = recorded_model(&record, &body);
    let provider = match record["provider"].as_str()? {
        "gemini" => "google",
        "moonshotai" => "moonshot",
        other => other,
    };
    let known = catalog
        .provider(provider)
        .map(|provider| provider.resolve(&recorded));
    let as_recorded = known
        .as_ref()
        .is_some_and(|known| known.dialect.name() == dialect);
    let listed = as_recorded && known.is_some_and(|known| known.price.is_some());
    let (provider, model, own) = match dialect.as_str() {
        _ if listed => (provider, recorded, false),
        "openai-responses" => ("openai", stand_in(catalog, &dialect), false),
        "anthropic" => ("anthropic", format!("claude-own-{recorded}"), true),
        "gemini" => ("google", format!("gemini-own-{recorded}"), true),
        "openai" if !as_recorded => ("mistral", format!("own-{recorded}"), true),
        _ if as_recorded => (provider, recorded, true),
        other => (other, format!("own-{recorded}"), true),
    };
    let provider = provider.to_owned();
    Some(Case {
        name: path.file_stem()?.to_string_lossy().into_owned(),
        dialect,
        provider,
        model,
        own,
        record,
        body,
        usage,
    })
}

/// Whether a recording is of an answer that broke, or of two that were spliced into one.
fn is_broken(path: &Path) -> bool {
    let record = path.with_extension("expect.json");
    let Ok(record) = std::fs::read(record) else {
        return false;
    };
    let record: Value = serde_json::from_slice(&record).unwrap();
    let unclear = record["ambiguous"]
        .as_array()
        .is_some_and(|all| all.contains(&json!("error")));
    unclear || !record["error"].is_null()
}

/// A model that is asked in this format and has a price.
fn stand_in(catalog: &Catalog, dialect: &str) -> String {
    let models = &catalog.provider("openai").unwrap().models;
    let mut fit = models
        .iter()
        .filter(|model| model.dialect.name() == dialect && model.price.is_some());
    fit.next().unwrap().id.clone()
}

fn recorded_model(record: &Value, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let within = |name: &str| {
        let mark = format!("\"{name}\"");
        let (_, after) = text.split_once(&mark)?;
        let after = after
            .trim_start()
            .strip_prefix(':')?
            .trim_start()
            .strip_prefix('"')?;
        after.split_once('"').map(|(word, _)| word.to_owned())
    };
    let url = record["request"]["url"].as_str().unwrap_or_default();
    let in_path = |mark: &str| {
        let (_, after) = url.split_once(mark)?;
        after
            .split(['/', ':', '?'])
            .next()
            .map(|model| model.replace("%3A", ":"))
    };
    let asked = record["request"]["body"]["model"]
        .as_str()
        .map(str::to_owned);
    let model = asked
        .or_else(|| in_path("/models/"))
        .or_else(|| in_path("/model/"));
    let model = model
        .or_else(|| within("model"))
        .or_else(|| within("modelVersion"));
    let model = model.filter(|model| !model.is_empty());
    model.unwrap_or_else(|| "unnamed".to_owned())
}

/// All usage objects of a body, laid over one another in their order.
fn usage(body: &[u8], dialect: &str) -> Option<Value> {
    let mark = if dialect == "gemini" {
        "\"usageMetadata\""
    } else {
        "\"usage\""
    };
    let text = String::from_utf8_lossy(body);
    if let Ok(whole) = serde_json::from_str::<Value>(&text)
        && whole["usage"].is_object()
    {
        return Some(whole["usage"].clone());
    }
    let mut all: Option<Value> = None;
    for (at, _) in text.match_indices(mark) {
        let after = text[at + mark.len()..].trim_start();
        let Some(json) = after.strip_prefix(':').map(str::trim_start) else {
            continue;
        };
        let mut parsed = serde_json::Deserializer::from_str(json).into_iter::<Value>();
        if let Some(Ok(Value::Object(members))) = parsed.next() {
            let laid = all.get_or_insert_with(|| json!({}));
            for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
                laid[name] = value;
            }
        }
    }
    all
}

impl Case {
    pub(crate) fn question(&self) -> Value {
        let mut body = json!({"model": self.id(), "messages": [{"role": "user", "content": "Hello"}],
            "stream": self.record["stream"] == true});
        if body["stream"] == true {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    pub(crate) fn counts(&self) -> Counts {
        let counts = rule::counts(&self.dialect, &self.usage);
        if self.dialect == "openai-responses" {
            return Counts {
                searches: self.searches(),
                ..counts
            };
        }
        counts
    }

    /// The searches among the items of the whole answer, which that format does not count itself: opening what was
    /// found is none.
    fn searches(&self) -> u64 {
        let text = String::from_utf8_lossy(&self.body);
        let whole = serde_json::from_str::<Value>(&text).ok();
        let last = || {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
            let last = events.find(|event| event["type"] == "response.completed");
            last.map(|mut event| event["response"].take())
        };
        let whole = whole.or_else(last).unwrap_or_default();
        let items = whole["output"].as_array().into_iter().flatten();
        let searches = items.filter(|item| {
            let action = &item["action"]["type"];
            item["type"] == "web_search_call" && (action == "search" || action.is_null())
        });
        u64::try_from(searches.count()).unwrap()
    }

    /// What it costs, and by whose word.
    pub(crate) fn wanted(&self) -> (u128, &'static str) {
        let ticks = self.usage["cost_in_usd_ticks"].as_u64();
        if let Some(ticks) = ticks {
            return (u128::from(ticks.div_ceil(10)), "provider");
        }
        let cost = &self.usage["cost"];
        if let Some(usd) = cost.as_f64().or_else(|| cost["total_cost"].as_f64()) {
            // In ten thousands of a nano-dollar first, so that what is whole stays whole.
            let parts = |usd: f64| {
                format!("{:.0}", usd * 1e13)
                    .parse::<u128>()
                    .unwrap()
                    .div_ceil(10_000)
            };
            // Where the caller has an account of its own behind the provider, that one's bill comes on top.
            let behind = self.usage["cost_details"]["upstream_inference_cost"].as_f64();
            let behind = behind.filter(|_| self.usage["is_byok"] == true);
            return (parts(usd) + behind.map_or(0, parts), "provider");
        }
        let own: toml::Table = format!("price = {{ {OWN} }}").parse().unwrap();
        let (price, place) = if self.own {
            (own["price"].as_table().unwrap().clone(), 10_000)
        } else {
            let list = List::read(&self.provider).unwrap();
            list.price(&self.model)
                .unwrap_or_else(|| panic!("{} has no price", self.id()))
        };
        let text = String::from_utf8_lossy(&self.body);
        let tier = ["flex", "priority"].into_iter().find(|tier| {
            text.to_lowercase()
                .replace(": ", ":")
                .contains(&format!("tier\":\"{tier}\""))
        });
        (rule::nano(&self.counts(), &price, place, tier), "usage")
    }

    pub(crate) fn answer(&self) -> Answer {
        let headers = self.record["response"]["headers"]
            .as_object()
            .into_iter()
            .flatten();
        let headers =
            headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        let headers = headers.filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        Answer {
            status: 200,
            headers: headers.collect(),
            wait: Duration::ZERO,
            pieces: vec![Piece::now(Bytes::from(self.body.clone()))],
            framing: Framing::Chunked,
            end: End::Clean,
        }
    }
}
