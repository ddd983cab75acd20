//! Pools: lists of models under one name, tried in their order, by weight, or as a strategy finds best.

use std::sync::Arc;

use crate::account::Money;

use super::number::{self, Total, mix, uniform};
use super::policy::Strategy;

/// A list of models under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// What is in it, never nothing.
    pub members: Vec<Member>,
    /// Who of it is taken.
    pub pick: Pick,
    /// Quality below which nothing is taken, in tenths of a point.
    pub min_quality: Option<u16>,
    /// What a call through it may cost at most.
    pub most: Option<Money>,
}

/// One line of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A model, family or provider, as the catalogue names it.
    Name(String),
    /// Another pool, by its place.
    Pool(usize),
}

/// Who of a pool is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// The first, then the next.
    Order,
    /// By lot, each as often as its weight says; who is not drawn comes after.
    Weights(Vec<f64>),
    /// Whoever a strategy finds best.
    Strategy(Arc<Strategy>),
}

/// One step through a pool: names of which one is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step<'a> {
    /// Models, families or providers.
    pub names: Vec<&'a str>,
    /// Who chooses among them; `None` leaves it to the call.
    pub strategy: Option<&'a Arc<Strategy>>,
    /// Quality below which nothing is taken.
    pub min_quality: Option<u16>,
}

/// The steps through a pool, in the order of trying. The same seed gives the same order.
#[must_use]
pub fn steps(pools: &[Pool], at: usize, seed: u64) -> Vec<Step<'_>> {
    let mut out = Vec::new();
    walk(pools, at, (seed, None, pools.len()), &mut out);
    out
}

/// One pool's steps; `depth` ends what configuration already refuses.
fn walk<'a>(
    pools: &'a [Pool],
    at: usize,
    (seed, floor, depth): (u64, Option<u16>, usize),
    out: &mut Vec<Step<'a>>,
) {
    let Some(pool) = pools.get(at).filter(|_| depth > 0) else {
        return;
    };
    let floor = floor.max(pool.min_quality);
    if let Pick::Strategy(strategy) = &pool.pick {
        out.push(Step {
            names: names(pools, at),
            strategy: Some(strategy),
            min_quality: floor,
        });
        return;
    }
    for member in order(pool, seed) {
        match member {
            Member::Name(name) => out.push(Step {
                names: vec![name],
                strategy: None,
                min_quality: floor,
            }),
            Member::Pool(inner) => walk(pools, *inner, (seed, floor, depth - 1), out),
        }
    }
}

/// A pool's members in the order of trying: as written, or drawn by weight without putting back.
fn order(pool: &Pool, seed: u64) -> Vec<&Member> {
    let Pick::Weights(weights) = &pool.pick else {
        return pool.members.iter().collect();
    };
    let seed = mix(seed, number::name(&pool.name));
    let mut rings: Vec<(Total, usize, &Member)> = pool
        .members
        .iter()
        .enumerate()
        .map(|(at, member)| {
            let weight = weights.get(at).copied().unwrap_or(0.0);
            let draw = 1.0 - uniform(mix(seed, at as u64));
            // Whoever's clock rings first; one without weight never rings.
            let ring = if weight > 0.0 {
                -draw.ln() / weight
            } else {
                f64::INFINITY
            };
            (Total(ring), at, member)
        })
        .collect();
    rings.sort_by_key(|(ring, at, _)| (*ring, *at));
    rings.into_iter().map(|(_, _, member)| member).collect()
}

/// Every name in a pool and in the pools within it, each once.
#[must_use]
pub fn names(pools: &[Pool], at: usize) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for pool in within(pools, at) {
        for member in &pool.members {
            if let Member::Name(name) = member
                && !out.contains(&name.as_str())
            {
                out.push(name);
            }
        }
    }
    out
}

/// What a call through a pool may cost at most: the least that it or a pool within it says.
#[must_use]
pub fn most(pools: &[Pool], at: usize) -> Option<Money> {
    within(pools, at).filter_map(|pool| pool.most).min()
}

/// A pool and the pools within it, each once.
fn within(pools: &[Pool], at: usize) -> impl Iterator<Item = &Pool> {
    let mut seen = vec![at];
    let mut next = 0;
    while let Some(pool) = seen.get(next).and_then(|at| pools.get(*at)) {
        for member in &pool.members {
            if let Member::Pool(inner) = member
                && !seen.contains(inner)
            {
                seen.push(*inner);
            }
        }
        next += 1;
    }
    seen.into_iter().filter_map(|at| pools.get(at))
}

/// The first ring of pools that hold each other, by their places.
#[must_use]
pub fn ring(pools: &[Pool]) -> Option<Vec<usize>> {
    (0..pools.len()).find_map(|at| {
        let mut path = vec![at];
        returns(pools, &mut path).then_some(path)
    })
}

/// Whether a path leads back to its beginning; the path is then the ring.
fn returns(pools: &[Pool], path: &mut Vec<usize>) -> bool {
    let pool = path.last().and_then(|at| pools.get(*at));
    let members = pool.map(|pool| pool.members.as_slice()).unwrap_or_default();
    for member in members {
        let Member::Pool(inner) = member else {
            continue;
        };
        if path.first() == Some(inner) {
            return true;
        }
        // A ring further down is found from its own members.
        if path.contains(inner) {
            continue;
        }
        path.push(*inner);
        if returns(pools, path) {
            return true;
        }
        path.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Member {
        Member::Name(text.to_owned())
    }

    fn pool(name: &str, members: Vec<Member>, pick: Pick) -> Pool {
        Pool {
            name: name.to_owned(),
            members,
            pick,
            min_quality: None,
            most: None,
        }
    }

    fn told(steps: &[Step<'_>]) -> Vec<String> {
        steps.iter().map(|step| step.names.join("|")).collect()
    }

    #[test]
    fn pools_in_pools_are_walked_in_order_and_a_strategy_takes_all_at_once() {
        let fastest = Arc::new(Strategy::named("fastest").unwrap().clone());
        let mut pools = vec![
            pool(
                "a",
                vec![name("x"), Member::Pool(1), name("y")],
                Pick::Order,
            ),
            pool("b", vec![name("z"), Member::Pool(2)], Pick::Order),
            pool("c", vec![name("v"), name("w")], Pick::Strategy(fastest)),
        ];
        pools[0].min_quality = Some(300);
        pools[2].min_quality = Some(500);
        pools[1].most = Some(Money::nano(7));
        let steps = steps(&pools, 0, 1);
        assert_eq!(told(&steps), ["x", "z", "v|w", "y"]);
        let floors: Vec<_> = steps.iter().map(|step| step.min_quality).collect();
        assert_eq!(floors, [Some(300), Some(300), Some(500), Some(300)]);
        assert!(steps[2].strategy.is_some() && steps[0].strategy.is_none());
        assert_eq!(names(&pools, 0), ["x", "y", "z", "v", "w"]);
        assert_eq!(
            (most(&pools, 0), most(&pools, 2)),
            (Some(Money::nano(7)), None)
        );
    }

    #[test]
    fn weights_are_kept_within_a_hundredth_and_nobody_is_lost() {
        let weights = Pick::Weights(vec![70.0, 20.0, 10.0, 0.0]);
        let members = ["a", "b", "c", "d"].map(name).to_vec();
        let pools = [pool("p", members, weights)];
        let mut firsts = [0_u32; 4];
        for seed in 0..100_000 {
            let steps = steps(&pools, 0, seed);
            let order = told(&steps);
            assert_eq!((order.len(), order[3].as_str()), (4, "d"));
            firsts[usize::from(order[0].as_bytes()[0] - b'a')] += 1;
        }
        for (count, share) in firsts.into_iter().zip([0.7, 0.2, 0.1, 0.0]) {
            assert!(
                (f64::from(count) / 100_000.0 - share).abs() < 0.01,
                "{firsts:?}"
            );
        }
        assert_eq!(steps(&pools, 0, 5), steps(&pools, 0, 5));
    }

    #[test]
    fn rings_are_found_and_do_not_hang() {
        let ringed = vec![
            pool("a", vec![Member::Pool(1)], Pick::Order),
            pool("b", vec![name("x"), Member::Pool(2)], Pick::Order),
            pool("c", vec![Member::Pool(1)], Pick::Order),
        ];
        assert_eq!(ring(&ringed), Some(vec![1, 2]));
        assert!(steps(&ringed, 0, 1).len() <= 3);
        let selfish = [pool("a", vec![Member::Pool(0)], Pick::Order)];
        assert_eq!(ring(&selfish), Some(vec![0]));
        let diamond = vec![
            pool("a", vec![Member::Pool(1), Member::Pool(2)], Pick::Order),
            pool("b", vec![Member::Pool(2)], Pick::Order),
            pool("c", vec![name("x")], Pick::Order),
        ];
        assert_eq!(ring(&diamond), None);
    }
}
