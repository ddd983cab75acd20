//! Bills of models of the catalogue, worked by hand. Rates are dollars per million tokens, so that a thousand tokens at
//! a rate of 1 are 0.001 dollars.
//!
//! A price that moves in the catalogue moves its line here: that is looked at, and then worked again.

use crate::account::Money;
use crate::catalog::cost::{Expected, Fees, Keep, Most, Tariff};
use crate::catalog::{Catalog, When};
use crate::chat::Tokens;

/// 2026-11-25 12:00, a Wednesday.
const NOON: u64 = 1_795_608_000;
const DAY: u64 = 86_400;

/// What was used, in an order that fits a line: prompt, completion, cached, written, of those for an hour.
type Used = (u64, u64, u64, u64, Option<u64>);

fn tokens((prompt, completion, cached, written, hour): Used) -> Tokens {
    Tokens {
        prompt,
        completion,
        cached: Some(cached),
        cache_write: Some(written),
        cache_write_1h: hour,
        ..Tokens::default()
    }
}

fn at<R>(model: &str, unix: u64, ask: impl FnOnce(&mut Tariff<'_>) -> R) -> R {
    let catalog = Catalog::builtin().unwrap();
    let (provider, id) = model.split_once('/').unwrap();
    let provider = catalog.provider(provider).unwrap();
    let model = provider.model(id).unwrap();
    ask(&mut Tariff::of(provider, model, When::unix(unix)).unwrap())
}

fn bill(model: &str, unix: u64, used: Used) -> String {
    at(model, unix, |tariff| {
        let cost = tariff.cost(&tokens(used), &Fees::default());
        assert!(cost.exact, "{model}");
        cost.money.to_string()
    })
}

/// A call of a model at a time, and its bill.
type Row = (&'static str, u64, Used, &'static str);

const BILLS: [Row; 20] = [
    // 1,000 at 2.5 = 0.0025; 500 at 10 = 0.005.
    ("openai/gpt-4o", NOON, (1_000, 500, 0, 0, None), "0.0075"),
    // 200 fresh at 2.5 = 0.0005; 800 read at 1.25 = 0.001; 500 at 10 = 0.005.
    ("openai/gpt-4o", NOON, (1_000, 500, 800, 0, None), "0.0065"),
    // 1,000 fresh at 10 = 0.01; 1,000 read at 1 = 0.001; 1,000 written at 12.5 = 0.0125; 100 at 50 = 0.005.
    (
        "openai/gpt-6-astra",
        NOON,
        (3_000, 100, 1_000, 1_000, None),
        "0.0285",
    ),
    // One token below the band: 272,000 at 10 = 2.72; 10 at 50 = 0.0005.
    (
        "openai/gpt-6-astra",
        NOON,
        (272_000, 10, 0, 0, None),
        "2.7205",
    ),
    // One above, and all of it is dearer: 272,001 at 20 = 5.44002; 10 at 75 = 0.00075.
    (
        "openai/gpt-6-astra",
        NOON,
        (272_001, 10, 0, 0, None),
        "5.44077",
    ),
    // Cached tokens count towards the band: 1 at 20 = 0.00002; 272,000 read at 2 = 0.544.
    (
        "openai/gpt-6-astra",
        NOON,
        (272_001, 0, 272_000, 0, None),
        "0.54402",
    ),
    // No rate for cached tokens: 1,000 at 30 = 0.03; 10 at 180 = 0.0018.
    (
        "openai/gpt-5.5-pro",
        NOON,
        (1_000, 10, 600, 0, None),
        "0.0318",
    ),
    // 100 fresh at 2 = 0.0002; 700 read at 0.1 = 0.00007; 200 written, of them 50 for an hour:
    // 150 at 2.5 = 0.000375, 50 at 4 = 0.0002; 300 at 10 = 0.003.
    (
        "anthropic/claude-sonnet-5-5",
        NOON,
        (1_000, 300, 700, 200, Some(50)),
        "0.003845",
    ),
    // 100,000 at 0.1 = 0.01; 100 at 0.5 = 0.00005.
    (
        "anthropic/claude-haiku-5-5",
        NOON,
        (100_000, 100, 0, 0, None),
        "0.01005",
    ),
    // Five times as dear: 1 fresh at 0.5 = 0.0000005; 100,000 written for an hour at 1 = 0.1; 100 at 2.5 = 0.00025.
    (
        "anthropic/claude-haiku-5-5",
        NOON,
        (100_001, 100, 0, 100_000, Some(100_000)),
        "0.1002505",
    ),
    // Wednesday noon is cheap: 1,000 at 0.15 = 0.00015; 1,000 read at 0.003 = 0.000003; 1,000 at 0.6 = 0.0006.
    (
        "deepseek/deepseek-flash",
        NOON,
        (2_000, 1_000, 1_000, 0, None),
        "0.000753",
    ),
    // Wednesday 01:00 is not: 1,000 at 0.3; 1,000 read at 0.006; 1,000 at 1.2.
    (
        "deepseek/deepseek-flash",
        NOON - 11 * 3_600,
        (2_000, 1_000, 1_000, 0, None),
        "0.001506",
    ),
    // Saturday 01:00 is: the weekend has no dear hours.
    (
        "deepseek/deepseek-flash",
        NOON - 11 * 3_600 + 3 * DAY,
        (2_000, 1_000, 1_000, 0, None),
        "0.000753",
    ),
    // Until November: 1,000 at 2 = 0.002; 1,000 at 10 = 0.01.
    (
        "google/gemini-4-argon",
        NOON,
        (1_000, 1_000, 0, 0, None),
        "0.012",
    ),
    // From 2026-12-01 on, twice as much.
    (
        "google/gemini-4-argon",
        NOON + 6 * DAY,
        (1_000, 1_000, 0, 0, None),
        "0.024",
    ),
    // 1,000 at 1.25 = 0.00125; 1,000 at 10 = 0.01.
    (
        "google/gemini-2.5-pro",
        NOON,
        (1_000, 1_000, 0, 0, None),
        "0.01125",
    ),
    // From 2026-12-01 on another answers, at 0.75 and 3.75.
    (
        "google/gemini-2.5-pro",
        NOON + 6 * DAY,
        (1_000, 1_000, 0, 0, None),
        "0.0045",
    ),
    // The band begins at 200,000 itself: 200,000 at 4 = 0.8; 1,000 at 12 = 0.012.
    ("xai/grok-4.7", NOON, (200_000, 1_000, 0, 0, None), "0.812"),
    // 700 at 0.7 = 0.00049; 300 read at 0.07 = 0.000021; 10 at 2.1 = 0.000021.
    (
        "mistral/mistral-large-4",
        NOON,
        (1_000, 10, 300, 0, None),
        "0.000532",
    ),
    // 1 at 0.3 = 0.0000003; 1 at 1.2 = 0.0000012.
    ("minimax/MiniMax-M3", NOON, (1, 1, 0, 0, None), "0.0000015"),
];

#[test]
fn bills_are_what_a_pencil_makes_of_the_price_list() {
    for (model, unix, used, dollars) in BILLS {
        assert_eq!(bill(model, unix, used), dollars, "{model} {used:?}");
    }
}

#[test]
fn half_a_nano_dollar_is_rounded_once() {
    // Three tokens at 0.15, 0.6 and 0.003 dollars per million are 0.753 micro-dollars: no line is rounded before.
    assert_eq!(
        bill("deepseek/deepseek-flash", NOON, (2, 1, 1, 0, None)),
        "0.000000753"
    );
    // One read token is 3 nano-dollars; halved by no tier here, so it stays.
    assert_eq!(
        bill("deepseek/deepseek-flash", NOON, (1, 0, 1, 0, None)),
        "0.000000003"
    );
}

#[test]
fn tiers_places_and_fees_are_factors_and_lines() {
    let used = tokens((1_000, 1_000, 0, 0, None));
    // (1,000 at 10 = 0.01 and 1,000 at 50 = 0.05) times 2 times 1.1, and 3 searches at 10 per thousand = 0.03.
    at("openai/gpt-6-astra", NOON, |tariff| {
        (tariff.tier, tariff.residency) = (Some("priority"), Some("eu"));
        let cost = tariff.cost(&used, &Fees { searches: 3 });
        assert_eq!(cost.money.to_string(), "0.162");
        let lines = cost
            .lines()
            .map(|line| format!("{} {} {}", line.item, line.count, line.amount.nearest()));
        let expected = ["input 1000 0.022", "output 1000 0.11", "web_search 3 0.03"];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
        tariff.tier = Some("warp");
        let cost = tariff.cost(&used, &Fees::default());
        assert_eq!(
            (cost.money.to_string().as_str(), cost.exact),
            ("0.066", false)
        );
        assert_eq!(
            tariff.bound(&Most::default()),
            None,
            "an unknown tier has no bound"
        );
    });
    at("google/gemini-2.5-flash", NOON, |tariff| {
        // 400 of text at 0.3 = 0.00012; 600 of audio at 1 = 0.0006; 1,000 at 2.5 = 0.0025.
        let used = Tokens {
            audio_prompt: Some(600),
            ..used
        };
        assert_eq!(
            tariff.cost(&used, &Fees::default()).money.to_string(),
            "0.00322"
        );
    });
    // What is free stays free, and is known to be.
    at("ollama/llama3.1:8b", NOON, |tariff| {
        let cost = tariff.cost(&used, &Fees::default());
        assert_eq!((cost.money, cost.exact), (Money::ZERO, true));
        assert_eq!(
            tariff.output_within(&Most::default(), Money::ZERO),
            Some(u64::MAX)
        );
    });
}

#[test]
fn bounds_take_the_dearest_that_can_come() {
    let most = Most {
        input: 1_000,
        output: 1_000,
        ..Most::default()
    };
    let bound = |model: &str, unix: u64, keep: Keep<'static>| {
        at(model, unix, |tariff| {
            tariff.keep = keep;
            tariff.bound(&most).unwrap().to_string()
        })
    };
    // 1,000 at 2 = 0.002, or written for five minutes at 2.5, or for an hour at 4; 1,000 at 10 = 0.01.
    for (keep, dollars) in [
        (Keep::Nothing, "0.012"),
        (Keep::Shortest, "0.0125"),
        (Keep::For("1h"), "0.014"),
        (Keep::Any, "0.014"),
    ] {
        assert_eq!(
            bound("anthropic/claude-sonnet-5-5", NOON, keep),
            dollars,
            "{keep:?}"
        );
    }
    // Noon is far from the dear hours: 0.15 and 0.6. At 23:30 they may begin while the call lasts: 0.3 and 1.2.
    assert_eq!(bound("deepseek/deepseek-flash", NOON, Keep::Any), "0.00075");
    assert_eq!(
        bound("deepseek/deepseek-flash", NOON + 41_400, Keep::Any),
        "0.0015"
    );
    // The price doubles on 2026-12-01, which is near on 2026-11-30.
    assert_eq!(bound("google/gemini-4-argon", NOON, Keep::Any), "0.012");
    assert_eq!(
        bound("google/gemini-4-argon", NOON + 5 * DAY, Keep::Any),
        "0.024"
    );
    // The day before another answers in its place, the dearer of both: 1.25 and 10.
    assert_eq!(
        bound("google/gemini-2.5-pro", NOON + 5 * DAY, Keep::Any),
        "0.01125"
    );
}

#[test]
fn estimates_know_what_is_likely_cached() {
    at("anthropic/claude-sonnet-5-5", NOON, |tariff| {
        let expected = Expected {
            input: 1_000,
            cached: 700,
            written: 200,
            output: 300,
        };
        // 100 at 2 = 0.0002; 700 at 0.1 = 0.00007; 200 at 2.5 = 0.0005; 300 at 10 = 0.003.
        assert_eq!(tariff.expected(&expected).to_string(), "0.00377");
    });
}
