//! What may be said of routing, what may not, and where that is shown.
#![expect(
    clippy::float_cmp,
    reason = "numbers are compared as they were written"
)]

use std::path::Path;
use std::time::Duration;

use crate::account::Money;
use crate::config::{Config, Problem};
use crate::route::experiment::{Sticky, Trial};
use crate::route::names::Staying;
use crate::route::need::Hinting;
use crate::route::policy::{CapMode, Order};
use crate::route::pool::{Member, Pick};

fn parse(text: &str) -> Result<Config, Problem> {
    Config::parse(text, Path::new("waypost.toml"), &|_| None)
}

/// Providers that everything below stands on.
const ON: &str = "[providers.openai]\napi_key = \"a\"\n[providers.anthropic]\napi_key = \"b\"\n";

const ALL: &str = r#"
[routing]
default_strategy = "mine"
min_quality = 12.5
task_hints = false
explore = 0
session_affinity = false
[strategies.mine]
order = "cost"
weights = { cost = 2, quality = 0.5 }
[strategies.fastest]
min_quality = 50
[pools.smart]
models = ["anthropic/claude-sonnet-5-5", "more", "openai/gpt-10-unheard"]
max_cost_usd = 0.25
[pools.more]
models = ["openai/gpt-5.6-terra", "anthropic"]
strategy = "lowest_cost"
min_quality = 55
[pools.even]
models = ["gpt-5.6-luna", "openai/gpt-5.6-terra"]
weights = [3, 1.5]
[aliases]
"gpt-my-own" = "smart"
[tenants.acme]
model = "anthropic/claude-sonnet-5-5"
[tenants.beta]
strategy = "mine"
pool = "smart"
max_cost_usd = "0.01"
cost_cap_mode = "reject"
min_quality = 40
allow = ["gemini", "more"]
deny = ["openai/gpt-5.6-sol"]
[experiments.half]
applies_to = ["auto", "gpt-5.6-terra"]
split = { "smart" = 50, "openai/gpt-5.6-luna" = 50 }
sticky = "user"
[experiments.watch]
applies_to = ["smart"]
shadow = "openai/gpt-5.6-sol"
share = 0.05
timeout = "20s"
"#;

#[test]
fn strategies_are_edited_and_own_ones_added() {
    let routing = parse(&format!("{ON}{ALL}")).unwrap().routing;
    assert_eq!(
        (&*routing.default.name, routing.default.order),
        ("mine", Order::Cost)
    );
    let weights = routing.default.weights;
    assert_eq!(
        (weights.cost, weights.quality, weights.time),
        (2.0, 0.5, 0.5)
    );
    let floor = |name| routing.strategy(name).unwrap().min_quality;
    assert_eq!(
        ["mine", "fastest", "lowest-cost", "auto"].map(floor),
        [125, 500, 125, 125]
    );
    assert_eq!(routing.strategies.len(), 5);
    assert_eq!(routing.strategy("fastest").unwrap().weights.time, 1.0);
    assert_eq!(
        (routing.hinting, routing.explore, routing.affinity),
        (Hinting::Off, 0.0, Staying::Ignored)
    );
}

#[test]
fn pools_tenants_and_experiments_are_taken() {
    let config = parse(&format!("{ON}{ALL}")).unwrap();
    let routing = &config.routing;
    let smart = &routing.pools[0];
    assert_eq!(
        (smart.members[1].clone(), &smart.pick),
        (Member::Pool(1), &Pick::Order)
    );
    assert_eq!(smart.most, Money::parse("0.25"));
    assert!(matches!(&routing.pools[1].pick, Pick::Strategy(known) if known.name == "lowest-cost"));
    assert_eq!(routing.pools[1].min_quality, Some(550));
    assert_eq!(routing.pools[2].pick, Pick::Weights(vec![3.0, 1.5]));
    assert_eq!(routing.aliases["gpt-my-own"], "smart");
    let note = config
        .notes
        .iter()
        .find(|note| note.contains("gpt-10-unheard"));
    assert!(note.is_some(), "{:?}", config.notes);
    let beta = routing.tenant("beta").unwrap();
    assert_eq!(
        (beta.most, beta.cap_mode),
        (Money::parse("0.01"), Some(CapMode::Reject))
    );
    assert_eq!(beta.allow, ["google", "openai/gpt-5.6-terra", "anthropic"]);
    assert_eq!(
        (beta.min_quality, beta.pool.as_deref()),
        (Some(400), Some("smart"))
    );
    let [half, watch] = routing.experiments.as_slice() else {
        panic!("there are two experiments");
    };
    let Trial::Split(split) = &half.trial else {
        panic!("a split");
    };
    assert_eq!((split.arms.len(), split.sticky), (2, Sticky::User));
    let Trial::Shadow(shadow) = &watch.trial else {
        panic!("a shadow");
    };
    assert_eq!(
        (shadow.share, shadow.timeout),
        (0.05, Duration::from_secs(20))
    );
}

/// Text after [`ON`], line and column in it, part of the message.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "[routing]\ndefault = \"x\"",
        "2:1",
        "unknown field `default`",
    ),
    (
        "[routing]\ndefault_strategy = \"quick\"",
        "2:20",
        "there are lowest-cost, balanced",
    ),
    ("[routing]\nexplore = -0.1", "2:11", "from 0 to 1"),
    ("[routing]\nmin_quality = 101", "2:15", "0 to 100"),
    (
        "[strategies.mine]\nweights = { speed = 1 }",
        "2:13",
        "unknown field `speed`",
    ),
    (
        "[strategies.mine]\nweights = { cost = -1 }",
        "2:20",
        "0 or more",
    ),
    (
        "[strategies.mine]\nweights = { time = nan }",
        "2:20",
        "0 or more",
    ),
    (
        "[strategies.mine]\norder = \"luck\"",
        "2:9",
        "unknown variant",
    ),
    ("[strategies.openai]", "1:13", "the name of a provider"),
    ("[strategies.auto]", "1:13", "the name of a strategy"),
    ("[pools.a]\nmodels = []", "1:8", "nothing in it"),
    ("[pools.a]", "1:8", "nothing in it"),
    (
        "[pools.fastest]\nmodels = [\"openai\"]",
        "1:8",
        "the name of a strategy",
    ),
    (
        "[pools.gemini]\nmodels = [\"openai\"]",
        "1:8",
        "the name of a provider",
    ),
    (
        "[pools.\"gpt-5.6-sol\"]\nmodels = [\"openai\"]",
        "1:8",
        "a model of the catalogue",
    ),
    (
        "[pools.\"a b\"]\nmodels = [\"openai\"]",
        "1:8",
        "letters, digits",
    ),
    (
        "[pools.a]\nmodels = [\"b\"]\n[pools.b]\nmodels = [\"c\"]\n[pools.c]\nmodels = [\"b\"]",
        "3:8",
        "b -> c -> b",
    ),
    ("[pools.a]\nmodels = [\"a\"]", "1:8", "a -> a"),
    (
        "[pools.a]\nmodels = [\"gpt-5.6-slo\"]",
        "2:11",
        "gpt-5.6-sol",
    ),
    ("[pools.a]\nmodels = [\"groq/x\"]", "2:11", "not on"),
    ("[pools.a]\nmodels = [\"fastest\"]", "2:11", "is a strategy"),
    (
        "[pools.a]\nmodels = [\"openai\"]\nweights = [1, 2]",
        "3:11",
        "2 weights for 1 models",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nweights = [-1]",
        "3:12",
        "0 or more",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nweights = [0]",
        "3:11",
        "above 0",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nweights = [1]\nstrategy = \"fastest\"",
        "3:11",
        "not both",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nmin_quality = 3",
        "3:15",
        "needs a strategy",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nstrategy = \"b\"",
        "3:12",
        "no strategy 'b'",
    ),
    (
        "[pools.a]\nmodels = [\"openai\"]\nmax_cost_usd = -1",
        "3:16",
        "amount of dollars",
    ),
    ("[pools]\na = 1", "2:5", "invalid type"),
    (
        "[aliases]\nauto = \"openai\"",
        "2:1",
        "the name of a strategy",
    ),
    (
        "[aliases]\na = \"b\"\nb = \"openai\"",
        "2:5",
        "an alias itself",
    ),
    ("[aliases]\na = \"nothing-like-it\"", "2:5", "no model"),
    (
        "[pools.a]\nmodels = [\"openai\"]\n[aliases]\na = \"openai\"",
        "4:1",
        "the name of a pool",
    ),
    (
        "[tenants.a]\nbudget = { usd = 5 }",
        "2:10",
        "missing field `period`",
    ),
    (
        "[tenants.a]\nmodels = [\"openai\"]",
        "2:1",
        "unknown field `models`",
    ),
    (
        "[tenants.a]\nmodel = \"groq/x\"",
        "2:9",
        "add [providers.groq]",
    ),
    ("[tenants.a]\npool = \"b\"", "2:8", "add [pools.b]"),
    ("[tenants.a]\nallow = []", "2:9", "allows nothing"),
    (
        "[tenants.a]\ndeny = [\"opnai\"]",
        "2:9",
        "no model, family or provider",
    ),
    (
        "[tenants.a]\ncost_cap_mode = \"stop\"",
        "2:17",
        "not \"stop\"",
    ),
    (
        "[tenants.a]\nmax_cost_usd = -1",
        "2:16",
        "amount of dollars",
    ),
    (
        "[experiments.e]\napplies_to = [\"auto\"]",
        "1:14",
        "a split among arms",
    ),
    ("[experiments.e]\nsplit = { openai = 1 }", "2:9", "two arms"),
    (
        "[experiments.e]\nsplit = { openai = 1, anthropic = -1 }",
        "2:35",
        "0 or more",
    ),
    (
        "[experiments.e]\nsplit = { openai = 1, nobody = 1 }",
        "2:32",
        "no model",
    ),
    (
        "[experiments.e]\nsplit = { openai = 0, anthropic = 0 }",
        "2:9",
        "above 0",
    ),
    (
        "[experiments.e]\nsplit = { openai = 1, anthropic = 1 }\nsticky = \"day\"",
        "3:10",
        "not \"day\"",
    ),
    (
        "[experiments.e]\nsplit = { openai = 1, anthropic = 1 }\nshare = 1",
        "1:14",
        "of shadows",
    ),
    (
        "[experiments.e]\napplies_to = [\"auto\"]\nshadow = \"auto\"",
        "3:10",
        "provider/model",
    ),
    (
        "[experiments.e]\nshadow = \"openai/x\"",
        "1:14",
        "needs applies_to",
    ),
    (
        "[experiments.e]\napplies_to = [\"auto\"]\nshadow = \"openai/x\"\nshare = 1.5",
        "4:9",
        "from 0 to 1",
    ),
    (
        "[experiments.e]\napplies_to = [\"auto\"]\nshadow = \"groq/x\"",
        "3:10",
        "not on",
    ),
    (
        "[experiments.e]\napplies_to = [\"auto\"]\nsplit = { openai = 1, anthropic = 1 }\n[experiments.f]\napplies_to = [\"auto\"]\nsplit = { openai = 1, anthropic = 1 }",
        "5:15",
        "takes part in 'e'",
    ),
];

#[test]
fn whatever_is_wrong_is_shown_where_it_stands() {
    for (text, place, message) in WRONG {
        let problem = parse(&format!("{ON}{text}")).unwrap_err();
        let line = problem.line.unwrap_or(0).saturating_sub(ON.lines().count());
        let found = format!("{line}:{}", problem.column.unwrap_or(0));
        assert_eq!(&found, place, "{text}\n{problem}");
        assert!(problem.message.contains(message), "{text}\n{problem}");
    }
}

#[test]
fn nothing_said_is_the_defaults() {
    let routing = parse(ON).unwrap().routing;
    assert_eq!(&*routing.default.name, "balanced");
    let none = (
        routing.pools.len(),
        routing.tenants.len(),
        routing.experiments.len(),
    );
    assert_eq!((none, routing.explore), ((0, 0, 0), 0.015));
    assert_eq!(routing.strategy("lowest-cost").unwrap().min_quality, 400);
}
