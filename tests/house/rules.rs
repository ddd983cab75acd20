//! The rules on words and lengths. Each gives its complaints, none if the rule is kept.

use std::collections::BTreeSet;

use crate::House;
use crate::imports::modules;
use crate::source::{Function, Source, is, is_name};

/// Rooms that think: they are given bytes, `now` and a seed.
const PURE: [&str; 5] = ["chat", "dialect", "catalog", "route", "account"];

/// What thinking may not name.
const IMPURE: &[&str] = &[
    "tokio",
    "tokio_util",
    "hyper",
    "hyper_util",
    "std::net",
    "std::fs",
    "std::env",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "fastrand",
    "rand",
    "getrandom",
];

/// Names of providers and their models, as words of code. Only `dialect` and `catalog` know them.
const PROVIDERS: &[&str] = &[
    "anthropic",
    "claude",
    "gemini",
    "google",
    "vertex",
    "groq",
    "deepseek",
    "mistral",
    "xai",
    "grok",
    "fireworks",
    "cerebras",
    "openrouter",
    "perplexity",
    "cohere",
    "ollama",
    "vllm",
    "azure",
    "bedrock",
    "moonshot",
    "kimi",
    "zai",
    "minimax",
    "qwen",
];

/// File and folder names that say nothing.
const EMPTY_NAMES: [&str; 8] = [
    "utils", "util", "common", "helpers", "helper", "manager", "handler", "types",
];

/// Calls that end the process where an error should be answered.
const PANICS: [&str; 7] = [
    ".unwrap()",
    ".expect(\"",
    ".expect(&",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
];

/// Places of a workplace; spelt apart so that this file keeps its own rule.
const WORKPLACE: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/tmp/", "wt"),
    concat!("../sh", "ared"),
];

pub(crate) fn impure(house: &House) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (here, file) in modules(house) {
        if !here
            .first()
            .is_some_and(|room| PURE.contains(&room.as_str()))
        {
            continue;
        }
        for path in file.paths() {
            let joined = format!("::{}::", path.join("::"));
            let is = |name: &&&str| joined.contains(&format!("::{name}::"));
            let hit = IMPURE.iter().find(is);
            found.extend(hit.map(|name| format!("{}: names {name}", file.path)));
        }
    }
    found.into_iter().collect()
}

pub(crate) fn provider_names(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for (here, file) in modules(house) {
        let knows = here
            .first()
            .is_some_and(|room| room == "dialect" || room == "catalog");
        if knows || file.path.starts_with("src/cli/demo") {
            continue;
        }
        let code = spaced(&file.code);
        let words = code
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_lowercase);
        let mut hits: BTreeSet<String> = words
            .filter(|word| PROVIDERS.contains(&word.as_str()))
            .collect();
        if file.code.contains("\"openai\"") || file.code.contains("\"openai/") {
            hits.insert("openai".to_owned());
        }
        found.extend(
            hits.iter()
                .map(|name| format!("{}: names {name}", file.path)),
        );
    }
    found
}

/// Breaks `CamelCase` into words.
fn spaced(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut small = false;
    for c in code.chars() {
        if small && c.is_uppercase() {
            out.push(' ');
        }
        small = c.is_lowercase();
        out.push(c);
    }
    out
}

fn rust(house: &House) -> impl Iterator<Item = &Source> {
    house
        .values()
        .filter(|file| is(&file.path, "rs") && !file.path.starts_with("target/"))
}

pub(crate) fn long_files(house: &House) -> Vec<String> {
    let limit = |path: &str| {
        if path.starts_with("src/dialect/") {
            600
        } else {
            400
        }
    };
    let lines = |file: &Source| file.text.lines().count();
    rust(house)
        .filter(|file| lines(file) > limit(&file.path))
        .map(|file| format!("{}: {} lines", file.path, lines(file)))
        .collect()
}

fn each_function(house: &House, judge: impl Fn(&Function) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for file in rust(house) {
        let hits = file
            .functions()
            .into_iter()
            .filter_map(|f| judge(&f).map(|why| (f.name, why)));
        found.extend(hits.map(|(name, why)| format!("{}: {name} {why}", file.path)));
    }
    found
}

pub(crate) fn long_functions(house: &House) -> Vec<String> {
    each_function(house, |f| {
        (f.lines > 60).then(|| format!("has {} lines", f.lines))
    })
}

pub(crate) fn bool_arguments(house: &House) -> Vec<String> {
    each_function(house, |f| {
        let arguments = f.head.split("->").next().unwrap_or_default();
        (f.public && arguments.contains(": bool")).then(|| "takes a bool".to_owned())
    })
}

pub(crate) fn headless(house: &House) -> Vec<String> {
    rust(house)
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: does not start with `//!`", file.path))
        .collect()
}

pub(crate) fn unlisted(house: &House) -> Vec<String> {
    let catalog: Vec<&Source> = rust(house)
        .filter(|file| file.path.starts_with("src/catalog/"))
        .collect();
    let listed = |name: &str| {
        let name = format!("\"{name}\",");
        catalog.iter().any(|file| file.code.contains(&name))
    };
    let name = |path: &str| {
        let file = path.strip_prefix("src/catalog/providers/")?;
        Some(file.strip_suffix(".toml")?.to_owned())
    };
    let data = house.keys().filter_map(|path| name(path));
    data.filter(|name| !listed(name))
        .map(|name| format!("src/catalog/providers/{name}.toml: no list names it"))
        .collect()
}

pub(crate) fn panics(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for (_, file) in modules(house) {
        let hits = PANICS.iter().filter(|call| file.bare.contains(**call));
        found.extend(hits.map(|call| format!("{}: calls {call}", file.path)));
    }
    found
}

pub(crate) fn empty_names(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for (here, file) in modules(house) {
        let empty = here
            .iter()
            .find(|part| EMPTY_NAMES.contains(&part.as_str()));
        found.extend(empty.map(|part| format!("{}: '{part}' says nothing", file.path)));
        let globs = file
            .paths()
            .iter()
            .any(|path| path.last().is_some_and(|last| last == "*"));
        found.extend(globs.then(|| format!("{}: a glob import", file.path)));
        let getter = file.bare.contains("fn get_");
        found.extend(getter.then(|| format!("{}: a `get_` function", file.path)));
        let loose = file
            .text
            .split(|c| !is_name(c))
            .any(|word| word == "TODO" || word == "FIXME");
        found.extend(loose.then(|| format!("{}: a loose end", file.path)));
    }
    found
}

pub(crate) fn workplaces(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for file in house.values() {
        let text = if file.path == ".ci/run" {
            file.text.replace(concat!("../sh", "ared/wire"), "")
        } else {
            file.text.clone()
        };
        let stands = |place: &&&str| {
            let mut hits = text.match_indices(**place);
            hits.any(|(at, _)| {
                !text
                    .get(..at)
                    .is_some_and(|before| before.ends_with(|c| is_name(c) || c == '.'))
            })
        };
        found.extend(
            WORKPLACE
                .iter()
                .find(stands)
                .map(|place| format!("{}: names {place}", file.path)),
        );
    }
    found
}
