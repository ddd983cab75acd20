//! Every recorded exchange that tells a usage: what the proxy says that it cost is what an independent reading of the
//! provider's counts and the price list comes to, to the nano-dollar.
//!
//! The recordings are found by `WAYPOST_WIRE`; without it the test says that it skips. Models that the catalogue has no
//! price for, or would ask in another format than the recorded one, are given a price by configuration. `BLESS=1` writes
//! the table of what is covered into docs/money.md.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use waypost::catalog::Catalog;
use waypost::fixture::{Answer, Exchange};

use crate::house::{ask, house_of, told};
use crate::recorded::{Case, OWN, read, recordings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_usage_costs_what_the_price_list_says() {
    let Ok(folder) = std::env::var("WAYPOST_WIRE") else {
        eprintln!("SKIPPED: WAYPOST_WIRE is not set, so that no recorded bill is checked");
        return;
    };
    let catalog = Catalog::builtin().unwrap();
    let mut cases = Vec::new();
    for dialect in [
        "openai",
        "anthropic",
        "gemini",
        "bedrock",
        "cohere",
        "openai-responses",
    ] {
        for path in recordings(&Path::new(&folder).join(dialect)) {
            cases.extend(read(&path, &catalog));
        }
    }
    assert!(
        cases.len() > 300,
        "only {} recordings tell a usage",
        cases.len()
    );
    let config = own_prices(&cases);
    let providers: std::collections::BTreeSet<_> =
        cases.iter().map(|case| &case.provider).collect();
    let blank = |provider: &&String| Exchange::any(provider.as_str(), Answer::json(200, "{}"));
    let app = house_of(providers.iter().map(blank).collect(), &config).await;
    let (mut wrong, mut rows) = (Vec::new(), BTreeMap::<_, Row>::new());
    for case in &cases {
        let exchange = Exchange::any(case.provider.as_str(), case.answer());
        app.replay().unwrap().set([exchange]);
        let reply = ask(&app, &[], &case.question()).await;
        let cost = told(&reply)["cost"].clone();
        let (wanted, source) = case.wanted();
        let got = cost["actual_usd"]
            .as_f64()
            .map(|usd| format!("{:.0}", usd * 1e9));
        let row = rows
            .entry((case.provider.clone(), case.model.clone()))
            .or_default();
        row.add(case, source);
        if got != Some(wanted.to_string()) || cost["source"] != source {
            wrong.push(format!(
                "{}: {wanted} by {source}, but {cost} for {}, status {}",
                case.name, case.usage, reply.status
            ));
        }
    }
    app.stop().await;
    let table = table(&rows);
    eprintln!("{table}\n{} exchanges, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    check_docs(&table);
}

/// A price by configuration for each model that the catalogue has none for.
fn own_prices(cases: &[Case]) -> String {
    let mut config = String::new();
    let mut named: Vec<String> = cases.iter().filter(|case| case.own).map(Case::id).collect();
    named.sort();
    named.dedup();
    for id in named {
        let _ = writeln!(config, "[[models]]\nid = \"{id}\"\nprice = {{ {OWN} }}");
    }
    config
}

/// What was seen of a model.
#[derive(Default)]
struct Row {
    exchanges: usize,
    price: &'static str,
    kinds: std::collections::BTreeSet<&'static str>,
}

impl Row {
    fn add(&mut self, case: &Case, source: &'static str) {
        self.exchanges += 1;
        self.price = match (source, case.own) {
            ("provider", _) => "the provider's word",
            (_, true) => "of the test",
            (_, false) => "of the catalogue",
        };
        let counts = case.counts();
        let usage = case.usage.to_string();
        let reasons = ["reasoning_tokens", "thoughtsTokenCount", "thinking_tokens"];
        let number = |name: &str| {
            let (_, after) = usage.split_once(&format!("\"{name}\":"))?;
            after.split([',', '}']).next()?.parse::<u64>().ok()
        };
        let reasoning = reasons
            .iter()
            .any(|name| number(name).is_some_and(|count| count > 0));
        let kinds = [
            ("cache reads", counts.read > 0),
            ("cache writes", counts.written > 0),
            ("hour-long cache writes", counts.written_hour > 0),
            ("audio", counts.audio > 0),
            ("reasoning", reasoning),
            ("web searches", counts.searches > 0),
            ("billed units", case.dialect == "cohere"),
        ];
        self.kinds.extend(
            kinds
                .into_iter()
                .filter(|(_, is)| *is)
                .map(|(kind, _)| kind),
        );
    }
}

fn table(rows: &BTreeMap<(String, String), Row>) -> String {
    let mut out = String::from(
        "| provider | model | exchanges | price | beside plain tokens |\n|---|---|---|---|---|\n",
    );
    for ((provider, model), row) in rows {
        let kinds: Vec<_> = row.kinds.iter().copied().collect();
        let (count, price) = (row.exchanges, row.price);
        let _ = writeln!(
            out,
            "| {provider} | `{model}` | {count} | {price} | {} |",
            kinds.join(", ")
        );
    }
    let all: usize = rows.values().map(|row| row.exchanges).sum();
    let _ = writeln!(out, "\n{all} recorded exchanges of {} models.", rows.len());
    out
}

fn check_docs(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/money.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- reconciled: begin -->\n", "<!-- reconciled: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let after = rest.split_once(end).unwrap().1;
    let fresh = format!("{before}{begin}\n{}\n\n{end}{after}", table.trim());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, fresh).unwrap();
    } else {
        assert!(
            fresh == text,
            "the table in docs/money.md is old: BLESS=1 cargo test --test money reconcile"
        );
    }
}
