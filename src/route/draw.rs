//! The draw among what is about as good: seeded, bounded, and the same again from its record.
//!
//! Always taking the best would send every call to one endpoint, and never learn of the others. So those near the best
//! draw lots as wide as the doubt on them; of the two highest, the one with fewer calls under way is taken if they are
//! close. A small share of calls tries what is little known, and what was down is tried again by one call at a time.

use serde::{Deserialize, Serialize};

use super::number::{Total, bell, mix, uniform};

/// What the draw looks at of one candidate. Small numbers, so that a record holds them exactly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// The endpoint's key: lots hang on it and on the seed, not on who else is there.
    pub key: u64,
    /// Its utility, with the benefit of the doubt on failures; under lowest-cost 0 for the cheapest and -1 for others.
    pub utility: f32,
    /// The doubt on it; 0 where it is too far behind to draw.
    pub doubt: f32,
    /// What it may be better than it seems; 0 where the call does not explore.
    pub hope: f32,
    /// Calls under way.
    pub in_flight: u32,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a candidate stands in the draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Among the others.
    Regular,
    /// It was down; one call may find out whether it still is.
    Trial,
    /// It loses something that others do not.
    Behind,
}

/// How wide a draw is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// How far below the best a candidate may be.
    pub near: f32,
    /// The share of calls that explore.
    pub explore: f32,
}

/// How the choice was made; its word is part of the explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It was alone near the best.
    Best,
    /// By lot among those near the best.
    Drawn,
    /// To learn of it.
    Explored,
    /// To see whether it is back.
    Trial,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Drawn => "drawn",
            Self::Explored => "explored",
            Self::Trial => "trial",
        }
    }
}

/// What was chosen, and the lots that were drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The place of the chosen one.
    pub place: usize,
    /// How it was chosen.
    pub how: How,
    /// Places and values of those that drew.
    pub drawn: Vec<(usize, f32)>,
}

/// How far below the best a candidate may be drawn.
pub const NEAR: f32 = 0.1;

/// The width of a lot when nothing is in doubt, and at most: equals share, and no one leaps over the band.
const DOUBT: (f32, f32) = (0.03, 0.07);

/// Two lots so close are taken for equal, and the one with fewer calls under way wins.
const CLOSE: f32 = 0.06;

/// How far below the best what was down may be to be worth a trial.
const TRIAL: f32 = 0.3;

/// The chance that a call makes a trial where one is due.
const TRIAL_CHANCE: f64 = 0.3;

/// Chooses among lots; `None` where there are none.
#[must_use]
pub fn choose(lots: &[Lot], rules: Rules, seed: u64) -> Option<Choice> {
    let any = |standing: Standing| lots.iter().any(|lot| lot.standing == standing);
    let group = if any(Standing::Regular) {
        Standing::Regular
    } else {
        Standing::Trial
    };
    let members = lots.iter().filter(|lot| lot.standing == group);
    let best = members.map(|lot| lot.utility).max_by(f32::total_cmp)?;
    if group == Standing::Regular
        && let Some(choice) = aside(lots, rules, seed, best)
    {
        return Some(choice);
    }
    let near = |lot: &Lot| lot.standing == group && lot.utility >= best - rules.near;
    let mut drawn = Vec::with_capacity(8);
    for (place, lot) in lots.iter().enumerate().filter(|(_, lot)| near(lot)) {
        let wide = lot.doubt.clamp(DOUBT.0, DOUBT.1);
        let noise = super::number::small(bell(mix(seed, lot.key)));
        drawn.push((place, wide * noise + lot.utility));
    }
    let place = winner(lots, &drawn)?;
    let how = if drawn.len() > 1 {
        How::Drawn
    } else {
        How::Best
    };
    Some(Choice { place, how, drawn })
}

/// Whether a call tries what is little known, if there is any that may be better than it seems.
#[must_use]
pub fn explores(rules: Rules, seed: u64) -> bool {
    uniform(mix(seed, 0x6578_706c_6f72)) < f64::from(rules.explore)
}

/// The highest lot, or the second if it is close and less busy.
fn winner(lots: &[Lot], drawn: &[(usize, f32)]) -> Option<usize> {
    let mut first: Option<(usize, f32)> = None;
    let mut second: Option<(usize, f32)> = None;
    for lot in drawn {
        if first.is_none_or(|first| lot.1.total_cmp(&first.1).is_gt()) {
            second = first;
            first = Some(*lot);
        } else if second.is_none_or(|second| lot.1.total_cmp(&second.1).is_gt()) {
            second = Some(*lot);
        }
    }
    let (first, Some(second)) = (first?, second) else {
        return first.map(|first| first.0);
    };
    let busy = |place: usize| lots.get(place).map_or(0, |lot| lot.in_flight);
    let swap = first.1 - second.1 <= CLOSE && busy(second.0) < busy(first.0);
    Some(if swap { second.0 } else { first.0 })
}

/// The few calls that do not go to the best: trials, then exploring.
fn aside(lots: &[Lot], rules: Rules, seed: u64, best: f32) -> Option<Choice> {
    let one = |place, how| Choice {
        place,
        how,
        drawn: Vec::new(),
    };
    let tried = |lot: &Lot| lot.standing == Standing::Trial && lot.utility >= best - TRIAL;
    if lots.iter().any(tried) && uniform(mix(seed, 0x7472_6961_6c21)) < TRIAL_CHANCE {
        return race(lots, seed, |lot| f64::from(u8::from(tried(lot))))
            .map(|place| one(place, How::Trial));
    }
    if !explores(rules, seed) {
        return None;
    }
    // By the square of how far it may come in: who is only just in reach is not worth many calls.
    let hopeful = |lot: &Lot| {
        let reach = f64::from(lot.utility + lot.hope - (best - rules.near));
        let may = lot.standing == Standing::Regular && lot.utility < best - rules.near;
        if may && reach > 0.0 {
            reach * reach
        } else {
            0.0
        }
    };
    race(lots, seed, hopeful).map(|place| one(place, How::Explored))
}

/// Draws one by weight: whoever's clock rings first.
fn race(lots: &[Lot], seed: u64, weight: impl Fn(&Lot) -> f64) -> Option<usize> {
    let rings = lots.iter().enumerate().filter_map(|(place, lot)| {
        let weight = weight(lot);
        let draw = 1.0 - uniform(mix(seed ^ 0x7261_6365, lot.key));
        (weight > 0.0).then(|| (Total(-draw.ln() / weight), place))
    });
    rings.min().map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        near: 0.1,
        explore: 0.02,
    };

    fn lot(key: u64, utility: f32) -> Lot {
        Lot {
            key,
            utility,
            doubt: 0.05,
            hope: 0.0,
            in_flight: 0,
            standing: Standing::Regular,
        }
    }

    fn shares(lots: &[Lot]) -> Vec<f64> {
        let mut counts = vec![0_u32; lots.len()];
        for seed in 0..20_000 {
            counts[choose(lots, RULES, seed).unwrap().place] += 1;
        }
        counts
            .iter()
            .map(|count| f64::from(*count) / 20_000.0)
            .collect()
    }

    #[test]
    fn equals_share_and_the_far_get_nothing() {
        let equal = shares(&[lot(1, 1.0), lot(2, 1.0), lot(3, 0.8)]);
        assert!(
            (equal[0] - 0.5).abs() < 0.02 && equal[2] == 0.0,
            "{equal:?}"
        );
        let near = shares(&[lot(1, 1.0), lot(2, 0.95)]);
        assert!(near[0] > 0.65 && near[1] > 0.1, "{near:?}");
        assert_eq!(choose(&[], RULES, 1), None);
    }

    #[test]
    fn the_less_busy_of_two_is_taken() {
        let busy = Lot {
            in_flight: 9,
            ..lot(1, 1.0)
        };
        let shares = shares(&[busy, lot(2, 1.0)]);
        assert!(shares[0] < 0.3, "{shares:?}");
    }

    #[test]
    fn little_known_and_recovered_ones_get_some_calls() {
        let hope = Lot {
            hope: 0.7,
            ..lot(2, 0.4)
        };
        let trial = Lot {
            standing: Standing::Trial,
            ..lot(3, 0.9)
        };
        let behind = Lot {
            standing: Standing::Behind,
            ..lot(4, 5.0)
        };
        let share = shares(&[lot(1, 1.0), hope, behind]);
        assert!(
            (share[1] - 0.02).abs() < 0.005 && share[2] == 0.0,
            "{share:?}"
        );
        let share = shares(&[lot(1, 1.0), trial]);
        assert!((share[1] - TRIAL_CHANCE).abs() < 0.02, "{share:?}");
        assert_eq!(choose(&[trial], RULES, 1).unwrap().place, 0);
    }

    #[test]
    fn lots_do_not_hang_on_who_else_is_there() {
        let pair = [lot(1, 1.0), lot(2, 0.99)];
        let more = [lot(9, 0.0), lot(1, 1.0), lot(8, 0.2), lot(2, 0.99)];
        for seed in 0..500 {
            let few = pair[choose(&pair, RULES, seed).unwrap().place].key;
            assert_eq!(more[choose(&more, RULES, seed).unwrap().place].key, few);
        }
    }

    #[test]
    fn a_record_replays() {
        let lots: Vec<Lot> = (1_u32..40)
            .map(|key| {
                let near = super::super::number::small(1.0 / (f64::from(key) + 0.1));
                lot(u64::from(key), near)
            })
            .collect();
        let text = serde_json::to_string(&lots).unwrap();
        let again: Vec<Lot> = serde_json::from_str(&text).unwrap();
        assert_eq!(lots, again);
        for seed in 0..200 {
            assert_eq!(choose(&lots, RULES, seed), choose(&again, RULES, seed));
        }
    }
}
