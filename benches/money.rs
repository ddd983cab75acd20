//! What money costs: a bill, a bound, an output limit, the meter per event, and the counting of prompts.
//!
//! `cargo bench --bench money`. The allocations are printed with each: the meter has none.
#![expect(
    clippy::expect_used,
    reason = "a benchmark stops where its own input is wrong"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use waypost::account::{Meter, Money};
use waypost::catalog::{Catalog, Expected, Fees, Keep, Most, Reading, Sight, Tariff, When};
use waypost::chat::{Escaped, Event, Request, Sink as _, Tokens};
use waypost::route::{Counter, Load, WHOLE};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// 2026-11-25 12:00.
const NOON: u64 = 1_795_608_000;
const EVENTS: usize = 1_000;
const MOST: Most = Most {
    input: 20_000,
    audio: 0,
    output: 4_096,
    searches: 0,
};

fn main() {
    divan::main();
}

/// A plain price, one with bands, writes and tiers, one with peak hours, one with announced rates.
const MODELS: [&str; 4] = [
    "groq/openai/gpt-oss-120b",
    "openai/gpt-6-astra",
    "deepseek/deepseek-flash",
    "google/gemini-3.8-flash",
];

fn with<R>(name: &str, run: impl FnOnce(Tariff<'_>) -> R) -> R {
    let catalog = Catalog::builtin().expect("a good catalogue");
    let (provider, id) = name.split_once('/').expect("a provider and a model");
    let provider = catalog.provider(provider).expect("a known provider");
    let model = provider.model(id).expect("a known model");
    run(Tariff::of(provider, model, When::unix(NOON)).expect("a price"))
}

#[divan::bench(args = MODELS)]
fn bill(bencher: Bencher<'_, '_>, name: &str) {
    let tokens = Tokens {
        prompt: 20_000,
        completion: 700,
        cached: Some(12_000),
        ..Tokens::default()
    };
    with(name, |tariff| {
        bencher.bench_local(|| black_box(&tariff).cost(black_box(&tokens), &Fees::default()));
    });
}

#[divan::bench(args = MODELS)]
fn expect(bencher: Bencher<'_, '_>, name: &str) {
    let expected = Expected {
        input: 20_000,
        cached: 12_000,
        written: 0,
        output: 700,
    };
    with(name, |tariff| {
        bencher.bench_local(|| black_box(&tariff).expected(black_box(&expected)));
    });
}

#[divan::bench(args = MODELS)]
fn bound(bencher: Bencher<'_, '_>, name: &str) {
    with(name, |tariff| {
        bencher.bench_local(|| black_box(&tariff).bound(black_box(&MOST)));
    });
}

#[divan::bench(args = MODELS)]
fn output_limit(bencher: Bencher<'_, '_>, name: &str) {
    let cap = Money::nano(20_000_000);
    with(name, |tariff| {
        bencher.bench_local(|| black_box(&tariff).output_within(black_box(&MOST), cap));
    });
}

#[divan::bench(args = ["text", "raw"])]
fn meter(bencher: Bencher<'_, '_>, kind: &str) {
    let raw = r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}"#;
    let event = if kind == "raw" {
        Event::Raw(raw)
    } else {
        Event::Text {
            choice: 0,
            text: Escaped::trusted(" token"),
        }
    };
    let pace = with("openai/gpt-6-astra", |mut tariff| {
        tariff.keep = Keep::Shortest;
        tariff.pace(&MOST, 0, (None, None)).expect("a bound")
    });
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let mut meter = Meter::new(pace, Money::nano(1_000_000_000));
        let mut over = 0;
        for _ in 0..EVENTS {
            meter.event(black_box(event));
            over += u32::from(meter.over());
        }
        over
    });
}

fn prompt(bytes: usize) -> Request {
    let source = include_str!("dialects.rs");
    let text = source.repeat(bytes / source.len() + 1);
    let text = serde_json::to_string(&text[..bytes]).expect("text");
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{text}}}]}}"#);
    Request::parse(body.into_bytes()).expect("a good request")
}

/// Reading the request, its bound and its guess.
#[divan::bench(args = [8_000, 200_000])]
fn guess_prompt(bencher: Bencher<'_, '_>, bytes: usize) {
    let request = prompt(bytes);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let load = Load::of(black_box(&request)).expect("a load");
        let guess = load.estimate(load.guess(), None, &Reading::default());
        (guess, load.bound(Sight::Unknown, 0))
    });
}

/// The exact count of short prompts, samples beyond, as calls are planned with.
#[divan::bench(args = [8_000, 64_000, 200_000])]
fn count_prompt(bencher: Bencher<'_, '_>, bytes: usize) {
    let request = prompt(bytes);
    let load = Load::of(&request).expect("a load");
    let counter = Counter::warm().expect("a vocabulary");
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| black_box(&load).count(counter, WHOLE));
}

/// What an estimate costs once a prompt is read: this is what each candidate of a plan pays.
#[divan::bench]
fn estimate_for_a_candidate(bencher: Bencher<'_, '_>) {
    let request = prompt(8_000);
    let load = Load::of(&request).expect("a load");
    let guess = load.guess();
    bencher.bench_local(|| black_box(&load).estimate(black_box(guess), None, &Reading::default()));
}
