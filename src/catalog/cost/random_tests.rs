//! Any price, any usage, any limits: the bound holds, the output limit is exact, nothing overflows.
//!
//! 20,000 cases; `WAYPOST_CASES=1000000` for as many as one likes.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use crate::account::Money;
use crate::catalog::cost::{Fees, Keep, Most, Tariff};
use crate::catalog::price::{Band, Extra, Peak, Scheduled, Window};
use crate::catalog::{Date, Factor, Price, Rate, Rates, Trust, When};
use crate::chat::Tokens;

/// 2026-11-25 12:00.
const NOON: u64 = 1_795_608_000;
const LIFETIMES: [&str; 5] = ["5m", "1h", "30m", "12h", "default"];
const TIERS: [&str; 4] = ["batch", "flex", "priority", "ultrafast"];

/// Numbers that make a case, drawn one after the other.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below or at a limit.
    fn to(&mut self, limit: u64) -> u64 {
        let next = self.next();
        if limit == u64::MAX {
            next
        } else {
            next % (limit + 1)
        }
    }

    fn odds(&mut self, one_in: u64) -> bool {
        self.to(one_in - 1) == 0
    }

    fn rate(&mut self) -> Rate {
        let limit =
            [0, 1, 3_000, 500_000, 10_000_000, 1_000_000_000][usize::try_from(self.to(5)).unwrap()];
        Rate::pico(self.to(limit))
    }

    fn rates(&mut self) -> Rates {
        let lifetimes = LIFETIMES
            .into_iter()
            .filter(|_| self.odds(3))
            .map(str::to_owned);
        let lifetimes: Vec<String> = lifetimes.collect();
        Rates {
            input: self.rate(),
            output: self.rate(),
            cache_read: self.odds(2).then(|| self.rate()),
            cache_write: lifetimes
                .into_iter()
                .map(|key| (key, self.rate()))
                .collect(),
            audio_input: self.odds(3).then(|| self.rate()),
        }
    }

    fn day(&mut self) -> Date {
        When::unix(NOON - 4 * 86_400 + self.to(8) * 86_400).date()
    }

    fn window(&mut self) -> Window {
        let from = self.to(1_438);
        let to = from + 1 + self.to(1_439 - from);
        Window {
            from: u16::try_from(from).unwrap(),
            to: u16::try_from(to).unwrap(),
        }
    }

    fn factors(&mut self, names: &[&str]) -> BTreeMap<String, Factor> {
        let each = names
            .iter()
            .filter(|_| self.odds(2))
            .map(|name| (*name).to_owned());
        let each: Vec<String> = each.collect();
        let factor = |draw: &mut Self| {
            Factor::parse(&format!("{}.{:04}", draw.to(6), draw.to(9_999))).unwrap()
        };
        each.into_iter().map(|name| (name, factor(self))).collect()
    }

    fn peak(&mut self) -> Peak {
        Peak {
            windows: (0..=self.to(2)).map(|_| self.window()).collect(),
            weekdays: (1..=7).filter(|_| self.odds(2)).collect(),
            rates: self.rates(),
        }
    }

    fn price(&mut self) -> Price {
        let mut price = Price::flat(self.rates(), Trust::High, "drawn");
        let bands = self.to(2);
        price.bands = (0..bands)
            .map(|_| Band {
                from: self.to(300_000),
                rates: self.rates(),
            })
            .collect();
        price.bands.sort_by_key(|band| band.from);
        let scheduled = self.to(2);
        price.scheduled = (0..scheduled)
            .map(|_| Scheduled {
                from: self.day(),
                rates: self.rates(),
            })
            .collect();
        price.service_tiers = self.factors(&TIERS);
        price.peak = self.odds(2).then(|| self.peak());
        price.extra = Extra {
            web_search_per_1k: self.odds(2).then(|| self.rate()),
            calls_per_1k: self.odds(4).then(|| self.rate()),
            cache_storage_per_mtok_hour: None,
            residency: self.factors(&["eu", "us"]),
            // Laid on the rates where a model is resolved, before any tariff sees them.
            regional: None,
        };
        price
    }

    fn keep(&mut self) -> Keep<'static> {
        match self.to(3) {
            0 => Keep::Nothing,
            1 => Keep::Shortest,
            2 => Keep::For(LIFETIMES[usize::try_from(self.to(4)).unwrap()]),
            _ => Keep::Any,
        }
    }

    /// A usage within limits and of what the request keeps.
    fn tokens(&mut self, most: &Most, keep: Keep<'_>) -> Tokens {
        let prompt = self.to(most.input);
        let cached = self.to(prompt);
        let written = if keep == Keep::Nothing {
            0
        } else {
            self.to(prompt - cached)
        };
        let hours = matches!(keep, Keep::Any | Keep::For("1h")) && self.odds(2);
        let completion = self.to(most.output);
        Tokens {
            prompt,
            completion,
            cached: self.odds(2).then_some(cached),
            cache_write: self.odds(2).then_some(written),
            cache_write_1h: hours.then(|| self.to(written)),
            reasoning: self.odds(2).then(|| self.to(completion)),
            audio_prompt: self.odds(2).then(|| self.to(most.audio.min(prompt))),
            audio_completion: None,
            searches: None,
        }
    }
}

fn runner() -> TestRunner {
    let cases = std::env::var_os("WAYPOST_CASES");
    let cases = cases
        .and_then(|cases| cases.to_str()?.parse().ok())
        .unwrap_or(20_000);
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

/// A seed, and how large prompts and outputs may be.
fn case() -> impl Strategy<Value = (u64, u64)> {
    let size = prop_oneof![
        Just(10_u64),
        Just(4_000),
        Just(2_000_000),
        Just(1 << 40),
        Just(u64::MAX)
    ];
    (any::<u64>(), size)
}

#[test]
fn the_bound_is_never_below_the_bill() {
    let held = runner().run(&case(), |(seed, size)| {
        let mut draw = Draw(seed);
        let (price, later) = (draw.price(), draw.price());
        let start = NOON - 3 * 86_400 + draw.to(6 * 86_400);
        let mut tariff = Tariff::new(&price, When::unix(start));
        tariff.then = draw.odds(3).then(|| (draw.day(), &later));
        tariff.tier = draw
            .odds(2)
            .then(|| TIERS[usize::try_from(draw.to(3)).unwrap()]);
        tariff.residency = draw.odds(2).then_some("eu");
        tariff.keep = draw.keep();
        let (input, output) = (draw.to(size), draw.to(size));
        let most = Most {
            input,
            audio: draw.to(input),
            output,
            searches: draw.to(3),
        };
        let Some(bound) = tariff.bound(&most) else {
            return Ok(());
        };
        let used = draw.tokens(&most, tariff.keep);
        let fees = Fees {
            searches: draw.to(most.searches),
        };
        let billed = Tariff {
            when: When::unix(start + draw.to(tariff.lasting)),
            // A tier may be refused and billed as standard.
            tier: if draw.odds(4) {
                Some("default")
            } else {
                tariff.tier
            },
            ..tariff
        };
        let cost = billed.cost(&used, &fees);
        assert!(
            cost.money <= bound,
            "{} above {bound}: {used:?} of {most:?} by {tariff:?}",
            cost.money
        );
        let sum = cost
            .lines()
            .map(|line| line.amount)
            .fold(crate::account::Amount::ZERO, crate::account::Amount::plus);
        assert_eq!(sum.nearest(), cost.money);
        Ok(())
    });
    held.unwrap();
}

#[test]
fn the_output_limit_is_the_largest_that_fits() {
    let held = runner().run(&case(), |(seed, size)| {
        let mut draw = Draw(seed);
        let price = draw.price();
        let mut tariff = Tariff::new(&price, When::unix(NOON + draw.to(86_400)));
        tariff.keep = draw.keep();
        let input = draw.to(size.min(1 << 40));
        let most = Most {
            input,
            audio: draw.to(input),
            ..Most::default()
        };
        let magnitude = usize::try_from(draw.to(2)).unwrap();
        let cap = Money::nano(draw.to([5, 1_000_000, 1_000_000_000_000][magnitude]));
        let bound = |output: u64| tariff.bound(&Most { output, ..most }).unwrap();
        match tariff.output_within(&most, cap) {
            None => assert!(bound(0) > cap),
            Some(u64::MAX) => assert!(bound(u64::MAX) <= cap),
            Some(limit) => {
                assert!(bound(limit) <= cap, "{limit} tokens are too many");
                assert!(bound(limit + 1) > cap, "{limit} tokens are too few");
            }
        }
        Ok(())
    });
    held.unwrap();
}

#[test]
fn more_tokens_never_cost_less() {
    let held = runner().run(&case(), |(seed, size)| {
        let mut draw = Draw(seed);
        let mut price = draw.price();
        let when = When::unix(NOON + draw.to(86_400));
        let most = Most {
            input: draw.to(size),
            output: draw.to(size),
            audio: 0,
            searches: 0,
        };
        let more = Most {
            input: most.input.saturating_add(draw.to(1_000)),
            output: most.output.saturating_add(draw.to(1_000)),
            ..most
        };
        let tariff = Tariff::new(&price, when);
        assert!(tariff.bound(&most) <= tariff.bound(&more));
        // Bands may be cheaper than what is below them in a drawn price, but never in a listed one.
        price.bands.clear();
        let tariff = Tariff::new(&price, when);
        let bill = |most: &Most| {
            let tokens = Tokens {
                prompt: most.input,
                completion: most.output,
                ..Tokens::default()
            };
            tariff.cost(&tokens, &Fees::default()).money
        };
        assert!(bill(&most) <= bill(&more));
        Ok(())
    });
    held.unwrap();
}
