//! Plans: what fits, in which order, within which cap, and the same again from a record.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::catalog::family::Points;
use crate::catalog::{Price, Quality, Rate, Rates, Trust};
use crate::dialect::caps::Effort;
use crate::dialect::{Caps, Mode};
use crate::route::ability::{Abilities, Ability};
use crate::route::affinity::Warmth;
use crate::route::board::{Board, Site};
use crate::route::explain;
use crate::route::health::headroom::{Headroom, Left, Share, Store};
use crate::route::moment::Moment;
use crate::route::need::{Need, Prompt};
use crate::route::policy::{Cap, Mask, Policy, Strategy};
use crate::route::quotes::Quotes;

use super::*;

#[cfg(test)]
#[path = "plan_property_tests.rs"]
mod properties;

const NOW: Moment = Moment::millis(1_790_000_000_000);

/// A host with a price per million tokens in and out, and a quality in tenths.
fn site(name: &str, price: Option<(u64, u64)>, tenths: u16, caps: Caps) -> Site {
    let mut site = Site::new("p", name, name, &Arc::new(caps));
    let rate = |dollars: u64| Rate::pico(dollars * 1_000_000);
    site.price = price.map(|(input, output)| {
        let rates = Rates {
            input: rate(input),
            output: rate(output),
            cache_read: Some(rate(input.div_ceil(10))),
            ..Rates::default()
        };
        Arc::new(Price::flat(rates, Trust::High, "test"))
    });
    site.keeps = Some(300_000);
    site.grade(Some(&Quality::own(Points::tenths(tenths))));
    site
}

fn need(prompt: u64) -> Need {
    Need {
        prompt: Prompt {
            error: 0,
            counted: None,
            estimate: prompt,
            most: prompt * 2,
            audio: 0,
        },
        answer: 400,
        choices: 1,
        stream: true,
        ..Need::default()
    }
}

/// So many tokens left of a provider's limit.
fn tokens(left: u64) -> Store {
    let mut headroom = Headroom::default();
    let tokens = Some(Share {
        left,
        of: None,
        reset_in: 60_000,
    });
    let calls = None;
    headroom.told(NOW, Left { calls, tokens });
    headroom.tokens()
}

/// Everything a scene borrows.
struct Stage {
    board: Board,
    quotes: Quotes,
    readings: Vec<Reading>,
    need: Need,
    warmth: Warmth,
}

impl Stage {
    fn of(sites: Vec<Site>, need: Need) -> Self {
        let mut board = Board::default();
        for site in sites {
            board.push(site);
        }
        Self {
            quotes: Quotes::of(&board, NOW, None, None),
            readings: vec![Reading::default(); board.endpoints.len()],
            need,
            warmth: Warmth::default(),
            board,
        }
    }

    fn scene<'a>(&'a self, policy: &'a Policy<'a>) -> Scene<'a> {
        Scene {
            board: &self.board,
            quotes: &self.quotes,
            readings: &self.readings,
            need: &self.need,
            policy,
            warmth: self.warmth,
            now: NOW,
        }
    }

    fn plan(&self, policy: &Policy<'_>) -> Result<Plan, NoRoute> {
        plan(&self.scene(policy), 1)
    }

    fn first(&self, policy: &Policy<'_>) -> String {
        let plan = self.plan(policy).unwrap();
        explain::name(plan.first().unwrap().endpoint, &self.board)
    }

    fn reasons(&self, policy: &Policy<'_>) -> Vec<&'static str> {
        let rejected = match self.plan(policy) {
            Ok(plan) => plan.rejected,
            Err(none) => none.rejected,
        };
        rejected
            .iter()
            .map(|rejected| rejected.why.as_str())
            .collect()
    }
}

fn strategy(name: &str) -> Policy<'static> {
    Policy {
        explore: 0.0,
        ..Policy::of(Strategy::named(name).unwrap())
    }
}

#[expect(clippy::too_many_lines, reason = "one table")]
#[test]
fn every_rejection_has_its_reason() {
    let plain = Caps::default;
    let mut gone = site("gone", Some((1, 1)), 800, plain());
    gone.status = crate::catalog::Status::Redirected;
    let mut early = site("early", Some((1, 1)), 800, plain());
    early.status = crate::catalog::Status::Preview;
    let blind = Caps {
        vision: Some(false),
        ..plain()
    };
    let small = Caps {
        context: Some(4_000),
        ..plain()
    };
    let mut unknown = site("unknown", Some((1, 1)), 0, plain());
    unknown.grade(None);
    let sites = vec![
        site("good", Some((1, 4)), 800, plain()),
        gone,
        early,
        site("blind", Some((1, 1)), 800, blind),
        site("small", Some((1, 1)), 800, small),
        site("weak", Some((1, 1)), 300, plain()),
        unknown,
        site("ignored", Some((1, 1)), 800, plain()),
        site("unpriced", None, 800, plain()),
        site("open", Some((1, 1)), 800, plain()),
        site("cooling", Some((1, 1)), 800, plain()),
        site("spent", Some((1, 1)), 800, plain()),
        site("dear", Some((90, 900)), 800, plain()),
    ];
    let mut stage = Stage::of(sites, need(5_000));
    stage.need.abilities = Abilities::NONE.with(Ability::Vision);
    stage.readings[9].gate = Gate::Open(5_000);
    stage.readings[10].cooling = 700;
    // Tokens are left, but fewer than the prompt has.
    stage.readings[11].tokens = tokens(4_000);
    let ignored = Mask::of(&stage.board, &["ignored"]);
    let policy = Policy {
        ignored: Some(&ignored),
        cap: Some(Cap {
            most: Money::parse("0.05").unwrap(),
            mode: CapMode::Clamp,
        }),
        ..strategy("lowest-cost")
    };
    let wanted = [
        "retired",
        "preview",
        "capability-vision",
        "context-window",
        "below-min-quality",
        "quality-unknown",
        "ignored",
        "price-unknown",
        "breaker-open",
        "cooling-down",
        "cooling-down",
        "over-cap",
    ];
    assert_eq!(stage.reasons(&policy), wanted);
    assert_eq!(stage.first(&policy), "p/good");
    let only = Mask::of(&stage.board, &["cooling", "open"]);
    let last = Policy {
        only: Some(&only),
        ..policy
    };
    let plan = stage.plan(&last).unwrap();
    assert!(
        plan.last_resort && plan.candidates.len() == 2,
        "the last target is never cooled down"
    );
}

#[test]
fn losses_come_after_what_loses_nothing_and_strict_refuses_them() {
    let lossy = Caps {
        json_schema: Some(false),
        ..Caps::default()
    };
    let mut stage = Stage::of(
        vec![
            site("lossy", Some((1, 1)), 900, lossy),
            site("dear", Some((9, 9)), 500, Caps::default()),
        ],
        need(100),
    );
    stage.need.abilities = Abilities::NONE.with(Ability::JsonSchema);
    for name in ["lowest-cost", "balanced", "fastest", "max-reliability"] {
        assert_eq!(stage.first(&strategy(name)), "p/dear", "{name}");
        assert_eq!(stage.plan(&strategy(name)).unwrap().candidates.len(), 2);
        let strict = Policy {
            mode: Mode::Strict,
            ..strategy(name)
        };
        assert_eq!(stage.reasons(&strict), ["loss-json-schema"]);
    }
    stage.need.abilities = Abilities::NONE;
    assert_eq!(stage.first(&strategy("lowest-cost")), "p/lossy");
}

#[test]
fn caps_clamp_reject_and_cut() {
    let caps = Caps {
        max_output: Some(10_000),
        ..Caps::default()
    };
    let mut cheap = site("a", Some((1, 10)), 800, caps);
    cheap.cancels = true;
    let stage = Stage::of(vec![cheap], need(1_000));
    let at = |usd: &str, mode| {
        let cap = Some(Cap {
            most: Money::parse(usd).unwrap(),
            mode,
        });
        stage.plan(&Policy {
            cap,
            ..strategy("balanced")
        })
    };
    // The prompt costs 0.002 at most, a token of the answer 0.00001.
    let first = |plan: Result<Plan, NoRoute>| *plan.unwrap().first().unwrap();
    let clamped = first(at("0.012", CapMode::Clamp));
    assert_eq!(
        (clamped.limit, clamped.bound),
        (Some(1_000), Money::parse("0.012"))
    );
    assert_eq!(first(at("0.2", CapMode::Clamp)).limit, Some(10_000));
    let none = at("0.002", CapMode::Clamp).unwrap_err();
    assert_eq!(
        none.cheapest,
        Money::parse("0.00216"),
        "sixteen tokens are the least"
    );
    let whole = at("0.1", CapMode::Reject).unwrap_err();
    assert_eq!(whole.cheapest, Money::parse("0.102"));
    assert_eq!(first(at("0.102", CapMode::Reject)).limit, Some(10_000));
    let cut = first(at("0.012", CapMode::Cut));
    assert_eq!((cut.limit, cut.bound), (None, Money::parse("0.012")));
    let policy = strategy("balanced");
    let left = clamped.within(
        &stage.scene(&policy),
        Money::parse("0.007").unwrap(),
        CapMode::Clamp,
    );
    assert_eq!(left, Some((Some(500), Money::parse("0.007").unwrap())));
    assert_eq!(
        clamped.within(&stage.scene(&policy), Money::nano(1), CapMode::Clamp),
        None
    );
    let text = explain::sentence(&none, &stage.board);
    assert!(
        text.contains("$0.00216") && text.contains("p/a: over-cap"),
        "{text}"
    );
}

#[test]
fn staying_is_an_amount_of_money() {
    let sites = || {
        vec![
            site("stay", Some((20, 20)), 800, Caps::default()),
            site("leave", Some((10, 20)), 800, Caps::default()),
        ]
    };
    let mut stage = Stage::of(sites(), need(50_000));
    assert_eq!(stage.first(&strategy("lowest-cost")), "p/leave");
    stage.warmth = Warmth::default().with(stage.board.sites[0].key, 45_000);
    assert_eq!(stage.first(&strategy("lowest-cost")), "p/stay");
    let plan = stage.plan(&strategy("lowest-cost")).unwrap();
    assert_eq!(
        plan.first().unwrap().prediction.cached,
        36_000,
        "four of five are believed"
    );
    stage.readings[0].hits = 0.05;
    assert_eq!(
        stage.first(&strategy("lowest-cost")),
        "p/leave",
        "a cache that never hits is worth nothing"
    );
}

#[test]
fn effort_is_chosen_only_where_the_caller_left_it_open() {
    let catalog = Catalog::builtin().unwrap();
    let provider = catalog.provider("openai").unwrap();
    let mut board = Board::default();
    board.add(provider, provider.model("gpt-5.6-luna").unwrap());
    let mut stage = Stage::of(Vec::new(), need(1_000));
    stage.quotes = Quotes::of(&board, NOW, None, None);
    stage.readings = vec![Reading::default(); board.endpoints.len()];
    stage.board = board;
    let open = stage.plan(&strategy("balanced")).unwrap();
    assert_eq!(open.candidates.len(), stage.board.endpoints.len());
    let quickest = stage.plan(&strategy("fastest")).unwrap();
    assert_eq!(quickest.first().unwrap().level, Effort::None);
    assert_eq!(
        quickest.attempts().count(),
        1,
        "a site is tried once, whatever the effort"
    );
    stage.need.effort = Some(Effort::High);
    let said = stage.plan(&strategy("fastest")).unwrap();
    let levels: Vec<_> = said
        .candidates
        .iter()
        .map(|ranked| (ranked.effort, ranked.level))
        .collect();
    assert_eq!(levels, [(None, Effort::High)]);
    let above = |level| {
        open.candidates
            .iter()
            .find(|ranked| ranked.level == level)
            .unwrap()
    };
    assert!(above(Effort::Max).prediction.cost > above(Effort::Low).prediction.cost);
    assert!(above(Effort::Max).prediction.quality > above(Effort::Low).prediction.quality);
}

#[test]
fn what_stands_in_the_plan_is_what_people_read() {
    let stage = Stage::of(
        vec![
            site("a", Some((1, 2)), 800, Caps::default()),
            site("b", None, 500, Caps::default()),
        ],
        need(1_000),
    );
    let plan = stage.plan(&strategy("lowest-cost")).unwrap();
    let json = explain::plan(&plan, &stage.board);
    assert_eq!(json["candidates"][0]["endpoint"], "p/a");
    assert_eq!(
        json["candidates"][0]["cost"]["estimated_usd"].to_string(),
        "0.0018"
    );
    assert_eq!(
        json["candidates"][1]["cost"]["estimated_usd"],
        serde_json::Value::Null
    );
    assert_eq!(json["strategy"], "lowest-cost");
    let lots: Vec<Lot> = serde_json::from_value(serde_json::Value::Array(
        json["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|candidate| candidate["lot"].clone())
            .collect(),
    ))
    .unwrap();
    assert_eq!(
        lots,
        plan.candidates
            .iter()
            .map(|ranked| ranked.lot)
            .collect::<Vec<_>>()
    );
}
