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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waypost::catalog::{Catalog, Factor, Sight};
use waypost::chat::Request;
use waypost::route::{Bound, Counter, Load};

/// Models that search and run code by themselves, whatever the request says: no request of theirs has a bound.
const AGENTS: [&str; 2] = ["groq/compound", "compound-beta"];

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
    let prompts: Vec<Prompt> = folders
        .iter()
        .flat_map(|folder| read_all(&PathBuf::from(&wire).join(folder)))
        .collect();
    assert!(prompts.len() > 150, "{} prompts", prompts.len());
    let (counter, catalog) = (Counter::warm().unwrap(), Catalog::builtin().unwrap());
    let mut errors: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let (mut broken, mut within, mut bounded) = (Vec::new(), 0, 0);
    for prompt in &prompts {
        let request = Request::parse(serde_json::to_vec(&prompt.body).unwrap()).unwrap();
        let load = Load::of(&request).unwrap();
        let sight = Sight::of(&prompt.model);
        let Bound::Tokens(most) = load.bound(sight, 0) else {
            continue;
        };
        if AGENTS.contains(&prompt.model.as_str()) {
            continue;
        }
        bounded += 1;
        if most < prompt.tokens {
            broken.push(format!(
                "{}: {} tokens, bound {most}",
                prompt.name, prompt.tokens
            ));
        }
        let factor = factor(&catalog, &prompt.model);
        let counted = load.estimate(load.count(counter, usize::MAX), factor, sight);
        let guessed = load.estimate(load.guess(), factor, sight);
        within += u32::from(guessed.tokens.abs_diff(prompt.tokens) <= guessed.error);
        let off =
            |tokens: u64| (tokens as f64 - prompt.tokens as f64) / prompt.tokens as f64 * 100.0;
        errors
            .entry(prompt.provider.clone())
            .or_default()
            .push((off(guessed.tokens), off(counted.tokens)));
    }
    println!(
        "{bounded} prompts with a bound of {}; the stated error held for {within}",
        prompts.len()
    );
    println!("provider              n   guess: median  p90 of |error|   count: median  p90");
    for (provider, each) in &errors {
        let (guess, count): (Vec<f64>, Vec<f64>) = each.iter().copied().unzip();
        println!(
            "{provider:20} {:3}   {:+12.1} % {:10.1} % {:+14.1} % {:6.1} %",
            each.len(),
            quantile(&guess, 0.5),
            spread(&guess),
            quantile(&count, 0.5),
            spread(&count)
        );
    }
    assert!(
        broken.is_empty(),
        "bounds that did not hold:\n{}",
        broken.join("\n")
    );
    assert!(
        within * 10 >= bounded * 8,
        "the stated error held for {within} of {bounded}"
    );
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small index"
    )]
    let index = ((sorted.len() - 1) as f64 * at).round() as usize;
    sorted[index]
}

fn spread(values: &[f64]) -> f64 {
    let sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    quantile(&sizes, 0.9)
}

/// The factor of a model, whoever serves it under whatever snapshot.
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
    (tokens > 0).then(|| Prompt {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
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
            json!({"type": "text", "text": part.to_string()})
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
