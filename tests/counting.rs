//! Prompts of the recorded exchanges, whose tokens their providers counted: the bound holds for each, and the estimate's
//! error is printed per provider (`cargo test --test counting -- --nocapture`).
//!
//! The recordings are found by `WAYPOST_WIRE`; without it the test says so and does nothing.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says what it finds"
)]

#[path = "counting/answers.rs"]
mod answers;
#[path = "counting/varied.rs"]
mod varied;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waypost::catalog::{Catalog, Factor, Reading, Tokenizer};
use waypost::chat::Request;
use waypost::route::{Bound, Counter, Estimate, Load};

/// Models that search and run code by themselves, whatever the request says: no request of theirs has a bound.
const AGENTS: [&str; 2] = ["groq/compound", "compound-beta"];

/// Prompts that the provider shortens before it reads them, and counts then.
const SHORTENED: &str = "compaction";

/// One prompt and what its provider made of it.
struct Prompt {
    name: String,
    provider: String,
    model: String,
    body: Value,
    tokens: u64,
}

#[test]
fn bounds_hold_and_errors_are_told() {
    let Some(wire) = std::env::var_os("WAYPOST_WIRE") else {
        eprintln!(
            "SKIPPED: set WAYPOST_WIRE to the recorded exchanges to check how prompts are counted"
        );
        return;
    };
    let folders = ["openai", "anthropic", "gemini"];
    let folders = folders.map(|folder| PathBuf::from(&wire).join(folder));
    let prompts: Vec<Prompt> = folders.iter().flat_map(|folder| read_all(folder)).collect();
    assert!(prompts.len() > 150, "{} prompts", prompts.len());
    let catalog = Catalog::builtin().unwrap();
    let mut errors: BTreeMap<&str, Errors> = BTreeMap::new();
    let judged = prompts
        .iter()
        .filter(|prompt| !AGENTS.contains(&prompt.model.as_str()));
    for (prompt, counts) in judged.filter_map(|prompt| Some((prompt, count(prompt, &catalog)?))) {
        errors
            .entry(&prompt.provider)
            .or_default()
            .note(prompt, &counts);
    }
    println!(
        "{:20} below 200 tokens: n, median, worst in tokens | above: n, median, worst in %, guessed and counted",
        ""
    );
    for (provider, each) in &errors {
        println!("{provider:20} {each}");
    }
    let sum = |of: fn(&Errors) -> usize| errors.values().map(of).sum::<usize>();
    let (bounded, within) = (
        sum(|each| each.short.len() + each.guessed.len()),
        sum(|each| each.within),
    );
    println!(
        "{bounded} of {} prompts have a bound; the stated error held for {within}",
        prompts.len()
    );
    let broken: Vec<&String> = errors.values().flat_map(|each| &each.broken).collect();
    assert!(broken.is_empty(), "bounds that did not hold: {broken:#?}");
    assert!(
        within * 6 >= bounded * 5,
        "the stated error held for {within} of {bounded}"
    );
}

/// What we make of a prompt: at most, by guess, by count.
fn count(prompt: &Prompt, catalog: &Catalog) -> Option<(u64, Estimate, Estimate)> {
    let request = Request::parse(serde_json::to_vec(&prompt.body).unwrap()).unwrap();
    let load = Load::of(&request).unwrap();
    let reading = Reading::of(&prompt.model);
    let Bound::Tokens(most) = load.bound(reading.sight, 0) else {
        return None;
    };
    let factor = factor(catalog, &prompt.model);
    let counted = load.count(Counter::warm().unwrap(), usize::MAX);
    let guess = load.estimate(load.guess(), factor, &reading);
    let known = tokenizer(catalog, &prompt.model) == Some(Tokenizer::O200k);
    let tight = load.counted_bound(counted, 0).filter(|_| known);
    if let Some(tight) = tight {
        let round = prompt.tokens.saturating_sub(counted.said);
        println!(
            "{}: {} tokens, {} counted and {round} round them; bounds {tight} by count and {most} by bytes",
            prompt.name, prompt.tokens, counted.said
        );
    }
    let most = most.min(tight.unwrap_or(u64::MAX));
    Some((most, guess, load.estimate(counted, factor, &reading)))
}

/// Errors of estimates: of short prompts in tokens, of long ones in per cent.
#[derive(Default)]
struct Errors {
    short: Vec<i64>,
    guessed: Vec<i64>,
    counted: Vec<i64>,
    within: usize,
    broken: Vec<String>,
}

impl Errors {
    fn note(&mut self, prompt: &Prompt, (most, guess, count): &(u64, Estimate, Estimate)) {
        let signed = |tokens: u64| i64::try_from(tokens).unwrap();
        let real = signed(prompt.tokens);
        if prompt.tokens < 200 {
            self.short.push(signed(guess.tokens) - real);
        } else {
            self.guessed
                .push((signed(guess.tokens) - real) * 100 / real);
            self.counted
                .push((signed(count.tokens) - real) * 100 / real);
        }
        if guess.tokens.abs_diff(prompt.tokens) <= guess.error {
            self.within += 1;
        } else {
            println!(
                "  beyond its error: {} {} is {real} tokens: {guess:?}",
                prompt.name, prompt.model
            );
        }
        if *most < prompt.tokens {
            self.broken
                .push(format!("{}: {real} tokens, bound {most}", prompt.name));
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [short, guessed, counted] =
            [&self.short, &self.guessed, &self.counted].map(|each| ends(each));
        let numbers = (self.short.len(), self.guessed.len());
        write!(
            formatter,
            "{:3} {short:14} | {:3} {guessed:14} {counted:14}",
            numbers.0, numbers.1
        )
    }
}

/// The median and the worst.
fn ends(values: &[i64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2);
    let worst = sorted.iter().max_by_key(|value| value.abs());
    let both = median.zip(worst);
    both.map_or_else(
        || "-".to_owned(),
        |(median, worst)| format!("{median:+} {worst:+}"),
    )
}

/// The factor of a model, whoever serves it under whatever snapshot.
fn tokenizer(catalog: &Catalog, id: &str) -> Option<Tokenizer> {
    let mut all = catalog.providers().iter();
    all.find_map(|provider| provider.resolve(id).model?.tokenizer)
}

fn factor(catalog: &Catalog, id: &str) -> Option<Factor> {
    let bare = id.rsplit_once('/').map_or(id, |(_, bare)| bare);
    let providers = catalog.providers().iter();
    let mut found = providers.filter_map(|provider| provider.resolve(bare).model?.token_factor);
    let openai = ["gpt-4", "gpt-5", "gpt-oss", "o3", "o4"]
        .iter()
        .any(|start| bare.starts_with(start));
    found.next().or_else(|| openai.then_some(Factor::ONE))
}

fn read_all(folder: &Path) -> Vec<Prompt> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    let is_exchange = |path: &&PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".json") && !name.ends_with(".expect.json")
    };
    names
        .iter()
        .filter(is_exchange)
        .filter_map(|path| prompt(path))
        .collect()
}

fn prompt(path: &Path) -> Option<Prompt> {
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let exchange = read(path);
    let request = &exchange["request"];
    if request["media_reduced"] == true || !request["body"].is_object() {
        return None;
    }
    let tokens = read(&path.with_extension("expect.json"))["usage"]["prompt_tokens"].as_u64()?;
    let body = &request["body"];
    let from_url = || {
        Some(
            request["url"]
                .as_str()?
                .rsplit_once("/models/")?
                .1
                .split(':')
                .next()?
                .to_owned(),
        )
    };
    let model = body["model"]
        .as_str()
        .map(str::to_owned)
        .or_else(from_url)?;
    let chat = match exchange["dialect"].as_str()? {
        "anthropic" => from_anthropic(body),
        "gemini" => from_gemini(body),
        _ => body.clone(),
    };
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    (tokens > 0 && !name.contains(SHORTENED)).then(|| Prompt {
        name,
        provider: exchange["provider"].as_str().unwrap().to_owned(),
        model,
        body: chat,
        tokens,
    })
}

/// What a client would have asked of us for such a request. What is not text, a picture or a call becomes a part that
/// nobody knows, and so has no bound.
fn from_anthropic(body: &Value) -> Value {
    let mut messages = Vec::new();
    if !body["system"].is_null() {
        messages.push(json!({"role": "system", "content": blocks(&body["system"])}));
    }
    for message in body["messages"].as_array().unwrap() {
        messages.push(json!({"role": message["role"], "content": blocks(&message["content"])}));
    }
    let tool = |tool: &Value| {
        if tool["input_schema"].is_object() {
            let function = json!({"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]});
            json!({"type": "function", "function": function})
        } else {
            json!({"type": tool["type"].as_str().unwrap_or("server"), "name": tool["name"]})
        }
    };
    let mut tools: Vec<Value> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .map(tool)
        .collect();
    let servers = body["mcp_servers"].as_array().map_or(0, Vec::len);
    tools.extend((0..servers).map(|_| json!({"type": "mcp"})));
    let mut chat = json!({"model": "m", "messages": messages});
    if !tools.is_empty() {
        chat["tools"] = tools.into();
    }
    if !body["output_config"]["format"].is_null() {
        chat["response_format"] = body["output_config"]["format"].clone();
    }
    chat
}

fn blocks(content: &Value) -> Value {
    let block = |block: &Value| match block["type"].as_str().unwrap_or_default() {
        "text" => json!({"type": "text", "text": block["text"]}),
        "thinking" => {
            json!({"type": "text", "text": format!("{}{}", block["thinking"], block["signature"])})
        }
        "tool_use" => json!({"type": "text", "text": block.to_string()}),
        "tool_result" if block["content"].is_string() => {
            json!({"type": "text", "text": block.to_string()})
        }
        other => json!({"type": other}),
    };
    content
        .as_array()
        .map_or_else(|| content.clone(), |list| list.iter().map(block).collect())
}

fn from_gemini(body: &Value) -> Value {
    let part = |part: &Value| {
        if part["text"].is_string() {
            json!({"type": "text", "text": part["text"]})
        } else if part["functionCall"].is_object() || part["functionResponse"].is_object() {
            let call = [&part["functionCall"], &part["functionResponse"]].map(Value::to_string);
            json!({"type": "text", "text": call.concat()})
        } else {
            json!({"type": "other"})
        }
    };
    let parts = |content: &Value| -> Value {
        content["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(part)
            .collect()
    };
    let mut messages = Vec::new();
    if body["systemInstruction"].is_object() {
        messages.push(json!({"role": "system", "content": parts(&body["systemInstruction"])}));
    }
    for content in body["contents"].as_array().unwrap() {
        messages.push(json!({"role": "user", "content": parts(content)}));
    }
    let mut tools = Vec::new();
    for group in body["tools"].as_array().into_iter().flatten() {
        let functions = group["functionDeclarations"].as_array();
        if functions.is_none() {
            tools.push(json!({"type": "server"}));
        }
        tools.extend(
            functions
                .into_iter()
                .flatten()
                .map(|function| json!({"type": "function", "function": function})),
        );
    }
    let mut chat = json!({"model": "m", "messages": messages});
    if !tools.is_empty() {
        chat["tools"] = tools.into();
    }
    let config = &body["generationConfig"];
    if let Some(schema) = config
        .get("responseSchema")
        .or_else(|| config.get("responseJsonSchema"))
    {
        chat["response_format"] =
            json!({"type": "json_schema", "json_schema": {"name": "s", "schema": schema}});
    }
    chat
}
