//! The plan: every endpoint judged, those that fit put in order, one of them chosen, all of it kept to be explained.
//!
//! Pure: the same board, prices, readings, request, policy, moment and seed give the same plan.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::account::Money;
use crate::dialect::caps::Effort;

use super::ability::Abilities;
use super::board::Endpoint;
use super::draw::{self, Choice, How, Lot, Rules, Standing};
use super::filter::{Fit, Health, Scene, day};
use super::health::{Gate, Reading};
use super::number::{Total, small};
use super::policy::{CapMode, Naming, Order, Weights};
use super::predict::Prediction;
use super::reason::Rejection;
use super::score::Terms;
use super::task::Guess;

/// What will be tried, in order, and why nothing else.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The strategy's name.
    pub strategy: Cow<'static, str>,
    /// Those that fit: the chosen one, then the others from the best on.
    pub candidates: Vec<Ranked>,
    /// Those that do not.
    pub rejected: Vec<Rejected>,
    /// How the first was chosen.
    pub how: How,
    /// The lots that were drawn: places among the candidates, and values.
    pub drawn: Vec<(usize, f32)>,
    /// How wide the draw was.
    pub rules: Rules,
    /// The seed of the draw.
    pub seed: u64,
    /// What kind of work the request seems to be.
    pub task: Guess,
    /// Whether nothing healthy was left, so that health was overlooked.
    pub last_resort: bool,
}

/// A candidate with all that was thought of it.
#[derive(Clone, Copy, Debug)]
pub struct Ranked {
    /// Its place on the board.
    pub endpoint: usize,
    /// Its site's place on the board.
    pub site: usize,
    /// The effort to ask for; `None` leaves it as the caller said it, or unsaid.
    pub effort: Option<Effort>,
    /// The effort it is expected to work at.
    pub level: Effort,
    /// What it would lose of the request.
    pub losses: Abilities,
    /// The losses that put it behind.
    pub behind: u32,
    /// The output limit to send; `None` leaves it unsaid.
    pub limit: Option<u64>,
    /// Output tokens below which its level makes no sense.
    pub floor: u64,
    /// What one attempt can cost at most; `None` where no bound is known.
    pub bound: Option<Money>,
    /// What to expect of it.
    pub prediction: Prediction,
    /// What its utility is made of.
    pub terms: Terms,
    /// Its utility.
    pub utility: f64,
    /// Its lot in the draw.
    pub lot: Lot,
}

/// An endpoint that fell out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place on the board.
    pub endpoint: usize,
    /// Why.
    pub why: Rejection,
}

/// Nothing fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoRoute {
    /// Every endpoint with its reason.
    pub rejected: Vec<Rejected>,
    /// The least cap that something would fit, where the cap is what rejects.
    pub cheapest: Option<Money>,
}

/// How far below the best a candidate may be drawn.
pub const NEAR: f32 = 0.1;

/// What a candidate that was never called may be better than it seems.
const HOPE: f64 = 0.7;

/// The most that the benefit of the doubt on failures adds in the draw.
const BENEFIT: f64 = 0.12;

/// Makes a plan.
///
/// # Errors
/// Where nothing fits: every endpoint with its reason, and the least cap that would do.
pub fn plan(scene: &Scene<'_>, seed: u64) -> Result<Plan, NoRoute> {
    let (mut candidates, mut rejected) = judge(scene, Health::Counts);
    let mut last_resort = false;
    if candidates.is_empty() && rejected.iter().any(|rejected| rejected.why.passes()) {
        // The last target is never cooled down.
        (candidates, rejected) = judge(scene, Health::LastResort);
        last_resort = true;
    }
    if candidates.is_empty() {
        return Err(NoRoute::of(rejected));
    }
    let order = scene.policy.strategy.order;
    stand(&mut candidates, order);
    let mut candidates = sorted(&candidates, order);
    let rules = Rules {
        near: NEAR,
        explore: match order {
            Order::Cost => 0.0,
            Order::Utility => small(scene.policy.explore),
        },
    };
    if draw::explores(rules, seed) {
        hopes(&mut candidates, scene);
    }
    let lots: Vec<Lot> = candidates.iter().map(|ranked| ranked.lot).collect();
    let choice = draw::choose(&lots, rules, seed).unwrap_or(Choice {
        place: 0,
        how: How::Best,
        drawn: Vec::new(),
    });
    // The chosen one goes first; places that were drawn move with it.
    let chosen = choice.place;
    if let Some(front) = candidates.get_mut(..=chosen) {
        front.rotate_right(1);
    }
    let moved = |place: usize| match place.cmp(&chosen) {
        std::cmp::Ordering::Less => place + 1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => place,
    };
    let drawn = choice.drawn.into_iter();
    Ok(Plan {
        strategy: scene.policy.strategy.name.clone(),
        candidates,
        rejected,
        how: choice.how,
        drawn: drawn.map(|(place, value)| (moved(place), value)).collect(),
        rules,
        seed,
        task: scene.need.task,
        last_resort,
    })
}

impl Plan {
    /// The chosen candidate. There always is one.
    #[must_use]
    pub fn first(&self) -> Option<&Ranked> {
        self.candidates.first()
    }

    /// Those to try one after the other: each site once, at the effort that stands first.
    pub fn attempts(&self) -> impl Iterator<Item = &Ranked> {
        let candidates = self.candidates.iter().enumerate();
        candidates.filter_map(|(at, ranked)| {
            let before = self.candidates.iter().take(at);
            let mut same = before.filter(|other| other.site == ranked.site);
            same.next().is_none().then_some(ranked)
        })
    }

    /// What the call can cost at most: the bounds of the attempts it may make, but never more than the cap, as each
    /// attempt is given only what those before it have left. `None` where a bound is missing and there is no cap.
    #[must_use]
    pub fn most(&self, attempts: usize, cap: Option<Money>) -> Option<Money> {
        let bounds: Option<Money> = self
            .attempts()
            .take(attempts)
            .map(|ranked| ranked.bound)
            .sum();
        match (bounds, cap) {
            (Some(bounds), Some(cap)) => Some(bounds.min(cap)),
            (bounds, cap) => bounds.or(cap),
        }
    }
}

impl Ranked {
    /// What of the cap is left for this candidate after others may have cost something: the output limit to send and
    /// the bound, or `None` where it no longer fits. Under [`CapMode::Cut`] the limit stays and the bound is the
    /// ceiling.
    #[must_use]
    pub fn within(
        &self,
        scene: &Scene<'_>,
        left: Money,
        mode: CapMode,
    ) -> Option<(Option<u64>, Money)> {
        let endpoint = scene.board.endpoints.get(self.endpoint)?;
        let policy = super::policy::Policy {
            cap: Some(super::policy::Cap { most: left, mode }),
            tried: &[],
            ..*scene.policy
        };
        let again = Scene {
            policy: &policy,
            ..*scene
        };
        let reading = Reading::default();
        let fit = again.judge(endpoint, &reading, day(scene.now), Health::LastResort);
        let fit = fit.ok()?;
        Some((fit.limit, fit.bound?))
    }
}

impl NoRoute {
    fn of(rejected: Vec<Rejected>) -> Self {
        let bounds = rejected.iter().filter_map(|rejected| {
            let Rejection::OverCap { bound } = rejected.why else {
                return None;
            };
            Some(bound)
        });
        Self {
            cheapest: bounds.min(),
            rejected,
        }
    }
}

fn judge(scene: &Scene<'_>, health: Health) -> (Vec<Ranked>, Vec<Rejected>) {
    let today = day(scene.now);
    let all = scene.board.endpoints.len();
    let (mut candidates, mut rejected) = (Vec::with_capacity(all), Vec::with_capacity(all));
    let unknown = Reading::default();
    for (at, endpoint) in scene.board.endpoints.iter().enumerate() {
        // A caller's own effort is never changed, nor a named model's: then a site has one endpoint only.
        let open = scene.need.effort.is_none() && scene.policy.naming == Naming::Open;
        if !open && endpoint.effort.is_some() {
            continue;
        }
        let reading = scene.readings.get(at).unwrap_or(&unknown);
        match scene.judge(endpoint, reading, today, health) {
            Ok(fit) => candidates.push(rank(scene, at, endpoint, reading, &fit)),
            Err(why) => rejected.push(Rejected { endpoint: at, why }),
        }
    }
    (candidates, rejected)
}

fn rank(scene: &Scene<'_>, at: usize, endpoint: &Endpoint, reading: &Reading, fit: &Fit) -> Ranked {
    let weights = &scene.policy.strategy.weights;
    let prediction = scene.predict(endpoint, reading, fit);
    let terms = Terms::of(weights, &prediction, fit.losses);
    let utility = terms.utility();
    let (time, failures) = doubt(weights, reading, prediction.risk);
    let standing = match reading.gate {
        Gate::Trial => Standing::Trial,
        Gate::Closed | Gate::Open(_) => Standing::Regular,
    };
    Ranked {
        endpoint: at,
        site: endpoint.site,
        effort: endpoint.effort,
        level: fit.level.effort,
        losses: fit.losses,
        behind: fit.behind,
        limit: fit.limit,
        floor: fit.level.floor,
        bound: fit.bound,
        prediction,
        terms,
        utility,
        lot: Lot {
            key: endpoint.key,
            // Failures that chance explains do not set equals apart.
            utility: small(utility + failures.min(BENEFIT)),
            doubt: small((time + failures * failures).sqrt()),
            hope: 0.0,
            in_flight: reading.in_flight,
            standing,
        },
    }
}

/// How far off a utility may be by chance: by the mean time, squared, and by the failures.
fn doubt(weights: &Weights, reading: &Reading, risk: f64) -> (f64, f64) {
    let time = weights.time * f64::from(reading.spread);
    let calls = f64::from(reading.calls + reading.fleet_mass);
    let failures = (risk * (1.0 - risk) / calls).sqrt() / (risk + weights.grain);
    let time = time * time / (f64::from(reading.seen) + 2.0);
    (time, weights.risk * failures)
}

/// Says how hopeful candidates are, where the call explores.
fn hopes(candidates: &mut [Ranked], scene: &Scene<'_>) {
    let weights = &scene.policy.strategy.weights;
    let unknown = Reading::default();
    for ranked in candidates {
        let reading = scene.readings.get(ranked.endpoint).unwrap_or(&unknown);
        ranked.lot.hope = small(hope(weights, reading, ranked.prediction.risk));
    }
}

/// How much better a utility may be than it seems, within reason: what was hardly called may be twice as fast, and two
/// spreads less likely to fail.
fn hope(weights: &Weights, reading: &Reading, risk: f64) -> f64 {
    let time = weights.time * HOPE / (1.0 + f64::from(reading.seen) / 2.0).sqrt();
    let calls = f64::from(reading.calls + reading.fleet_mass);
    let least = (risk - 2.0 * (risk * (1.0 - risk) / calls).sqrt()).max(0.0);
    let safer = weights.risk * ((risk + weights.grain) / (least + weights.grain)).ln();
    time + safer.min(HOPE)
}

/// Says who draws with whom: those that lose the least; under an order by cost, those that cost the least.
fn stand(candidates: &mut [Ranked], order: Order) {
    let least = candidates
        .iter()
        .map(|ranked| ranked.behind)
        .min()
        .unwrap_or(0);
    for ranked in &mut *candidates {
        if ranked.behind > least {
            ranked.lot.standing = Standing::Behind;
        }
    }
    if order == Order::Utility {
        return;
    }
    let regular = candidates
        .iter()
        .filter(|ranked| ranked.lot.standing == Standing::Regular);
    let all = candidates
        .iter()
        .filter(|ranked| ranked.lot.standing != Standing::Behind);
    let cheapest = regular.map(spent).min().or_else(|| all.map(spent).min());
    for ranked in candidates {
        let tie = Some(spent(ranked)) <= cheapest;
        ranked.lot.utility = if tie { 0.0 } else { -1.0 };
    }
}

/// What is likely to be spent; what has no price comes after all that has.
fn spent(ranked: &Ranked) -> Money {
    ranked.prediction.spent.unwrap_or(Money::MAX)
}

fn sorted(candidates: &[Ranked], order: Order) -> Vec<Ranked> {
    let cost = |ranked: &Ranked| match order {
        Order::Cost => spent(ranked),
        Order::Utility => Money::ZERO,
    };
    let mut places: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(at, ranked)| {
            let trial = ranked.lot.standing == Standing::Trial;
            let key = (
                ranked.behind,
                cost(ranked),
                Reverse(Total(ranked.utility)),
                ranked.lot.key,
            );
            (trial, key, at)
        })
        .collect();
    places.sort_unstable();
    let places = places.into_iter();
    places
        .filter_map(|(_, _, at)| candidates.get(at).copied())
        .collect()
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
