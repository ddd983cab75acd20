//! The plan: every endpoint judged, those that fit put in order, one of them chosen, all of it kept to be explained.
//!
//! Pure: the same board, prices, readings, request, policy, moment and seed give the same plan.

use std::borrow::Cow;

use crate::account::Money;

use super::board::Endpoint;
use super::doubt;
use super::draw::{self, Choice, How, Lot, NEAR, Rules, Standing};
use super::filter::{Fit, Health, Scene, day};
use super::health::{Gate, Reading};
use super::number::{rising, small};
use super::policy::{CapMode, Naming, Order, Weights};
use super::ranked::Ranked;
use super::reason::Rejection;
use super::score::Terms;
use super::task::Guess;

/// What will be tried, in order, and why nothing else.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The strategy's name.
    pub strategy: Cow<'static, str>,
    /// Its weights.
    pub weights: Weights,
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
    doubt::doubts(&mut candidates, scene);
    stand(&mut candidates, order);
    let mut candidates = sorted(&candidates, order);
    let rules = Rules {
        near: NEAR,
        explore: match order {
            Order::Cost => 0.0,
            Order::Utility => {
                small(scene.policy.explore * doubt::curiosity(&scene.policy.strategy.weights))
            }
        },
    };
    if draw::explores(rules, seed) {
        doubt::hopes(&mut candidates, scene);
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
        weights: scene.policy.strategy.weights,
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
    // A caller's own effort is never changed, nor a named model's: then a site has one endpoint only.
    let open = scene.need.effort.is_none() && scene.policy.naming == Naming::Open;
    for (at, endpoint) in scene.board.endpoints.iter().enumerate() {
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
    let utility = Terms::of(weights, &prediction, fit.losses).utility();
    let standing = match reading.gate {
        Gate::Trial => Standing::Trial,
        Gate::Closed | Gate::Returning | Gate::Open(_) => Standing::Regular,
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
        utility,
        lot: Lot {
            key: endpoint.key,
            utility: small(utility),
            doubt: 0.0,
            hope: 0.0,
            in_flight: reading.in_flight,
            standing,
        },
    }
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
    let mut places: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(at, ranked)| (key(ranked, order), ranked.lot.key, at))
        .collect();
    places.sort_unstable();
    // Whoever filters is asked for room bit by bit.
    let mut sorted = Vec::with_capacity(places.len());
    sorted.extend(
        places
            .into_iter()
            .filter_map(|(_, _, at)| candidates.get(at).copied()),
    );
    sorted
}

/// Where a candidate stands, as one number that sorts at once: trials last, then by losses, by what is spent where that
/// is the order, and by utility from the highest on.
fn key(ranked: &Ranked, order: Order) -> u128 {
    let trial = u128::from(ranked.lot.standing == Standing::Trial);
    let group = trial << 32 | u128::from(ranked.behind);
    let utility = !rising(ranked.utility);
    match order {
        Order::Utility => group << 64 | u128::from(utility),
        // Half of its digits tell ties apart.
        Order::Cost => {
            group << 95 | u128::from(spent(ranked).as_nano()) << 31 | u128::from(utility >> 33)
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
