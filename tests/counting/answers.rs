//! Answers of the recorded exchanges, whose tokens their providers counted: what a meter holds for each is enough.

use std::path::PathBuf;

use serde_json::Value;
use waypost::account::{Meter, Money, Pace, Slack};
use waypost::catalog::{Catalog, Tokenizer};
use waypost::chat::json::Escaped;
use waypost::chat::{Event, Sink as _};
use waypost::route::{Counter, LateCounter};

use crate::{factor, tokenizer};

/// One answer that is nothing but text.
struct Answer {
    name: String,
    model: String,
    text: String,
    tokens: u64,
}

#[test]
fn what_is_held_for_a_text_is_what_it_costs_or_more() {
    let Some(wire) = std::env::var_os("WAYPOST_WIRE") else {
        eprintln!(
            "SKIPPED: set WAYPOST_WIRE to the recorded exchanges to check how answers are metered"
        );
        return;
    };
    Counter::warm();
    let catalog = Catalog::builtin().unwrap();
    let folders = ["openai", "anthropic", "gemini", "cohere"];
    let folders = folders.map(|folder| PathBuf::from(&wire).join(folder));
    let index = std::fs::read_to_string(PathBuf::from(&wire).join("INDEX.tsv")).unwrap();
    let answers = folders.iter().flat_map(|folder| read_all(folder, &index));
    let answers: Vec<Answer> = answers.collect();
    assert!(answers.len() > 20, "{} answers", answers.len());
    let mut short = Vec::new();
    for answer in &answers {
        let (slack, factor) = match (
            tokenizer(&catalog, &answer.model),
            factor(&catalog, &answer.model),
        ) {
            (Some(Tokenizer::O200k), factor) => (Slack::SAME, factor),
            (None, Some(factor)) => (Slack::MEASURED, Some(factor)),
            (None, None) => (Slack::UNKNOWN, None),
        };
        let pace = Pace {
            token_parts: factor.unwrap_or(waypost::catalog::Factor::ONE).as_parts(),
            slack: Some(slack),
            ..Pace::default()
        };
        let mut meter = Meter::new(pace, Money::MAX).counted_by(&LateCounter);
        let quoted = serde_json::to_string(&answer.text).unwrap();
        let text = Escaped::quoted(&quoted).unwrap();
        meter.event(Event::Text { choice: 0, text });
        let (due, likely) = (meter.output_due(), meter.output_estimate());
        println!(
            "{:6} tokens, {likely:6} counted, {due:6} held, {slack:?}: {} {}",
            answer.tokens, answer.model, answer.name
        );
        if due < answer.tokens {
            short.push(&answer.name);
        }
    }
    assert!(short.is_empty(), "held too little for {short:?}");
}

fn read_all(folder: &PathBuf, index: &str) -> Vec<Answer> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    names.retain(|name| name.to_string_lossy().ends_with(".expect.json"));
    names.sort();
    let read = |name| read(name, index);
    names.iter().filter_map(read).collect()
}

/// An answer to which nothing but its text has cost anything.
fn read(path: &PathBuf, index: &str) -> Option<Answer> {
    let name = path.file_name().unwrap().to_string_lossy();
    let name = name.replace(".expect.json", ".json");
    let row = index
        .lines()
        .find(|row| row.contains(&format!("/{name}\t")))?;
    let mut columns = row.split('\t').skip(5);
    let (model, features) = (columns.next()?.to_owned(), columns.next()?);
    let told: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = told["text"].as_str()?.to_owned();
    let tokens = told["usage"]["completion_tokens"].as_u64()?;
    let plain = [
        "tool",
        "search",
        "image",
        "audio",
        "redacted",
        "reasoning",
        "code",
    ];
    let plain = !plain.iter().any(|other| features.contains(other));
    let thought = told["usage"]["reasoning_tokens"].as_u64().unwrap_or(0) > 0
        || told["reasoning_text"]
            .as_str()
            .is_some_and(|text| !text.is_empty());
    let calls = told["tool_calls"]
        .as_array()
        .is_some_and(|calls| !calls.is_empty());
    // A recording of fewer bytes than tokens is not whole.
    let whole = text.len() as u64 >= tokens;
    (plain && !thought && !calls && whole && tokens >= 40).then_some(Answer {
        name,
        model,
        text,
        tokens,
    })
}
