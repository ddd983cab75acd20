//! Experiments: which arm of a split a call goes to, and whether a shadow copy of it is sent.
//!
//! Pure: whoever asks gives what makes callers differ, and a stable hash decides, the same on every node and after
//! every restart.

use std::time::Duration;

use crate::account::Money;

use super::number::{mix, name, uniform};

/// One experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Its name, which also may be asked for where it is a split.
    pub name: String,
    /// The models, pools and strategies whose calls take part.
    pub on: Vec<String>,
    /// What is tried.
    pub trial: Trial,
}

/// What an experiment tries.
#[derive(Clone, Debug, PartialEq)]
pub enum Trial {
    /// Calls are shared among arms.
    Split(Split),
    /// A share of calls is sent to another model too, for comparison only.
    Shadow(Shadow),
}

/// Calls shared among arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Models, pools or strategies with their weights, in the order of their names.
    pub arms: Vec<(String, f64)>,
    /// Who always goes to the same arm.
    pub sticky: Sticky,
}

/// Who always goes to the same arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sticky {
    /// Whoever shows the same key.
    #[default]
    Key,
    /// The end user that the request names.
    User,
    /// The conversation.
    Session,
    /// Nobody: each request draws.
    Request,
}

/// A copy for comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Shadow {
    /// Who gets it, `provider/model`.
    pub model: String,
    /// Which share of calls is copied, 0 to 1.
    pub share: f64,
    /// What one copy may cost at most.
    pub most: Option<Money>,
    /// How long a copy may take.
    pub timeout: Duration,
}

/// A copy that is to be sent.
#[derive(Clone, Debug)]
pub struct Copy {
    /// The experiment.
    pub experiment: String,
    /// Who gets it.
    pub shadow: Shadow,
}

/// What makes callers differ; `None` where a call says nothing of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Who<'a> {
    /// A hash of the key that was shown.
    pub key: Option<u64>,
    /// The end user.
    pub user: Option<&'a str>,
    /// The conversation.
    pub session: Option<&'a str>,
    /// The seed of the call, by which draws whoever cannot be told from others.
    pub seed: u64,
}

impl Split {
    /// The arm a call goes to.
    #[must_use]
    pub fn arm(&self, experiment: &str, who: Who<'_>) -> Option<&str> {
        let caller = match self.sticky {
            Sticky::Key => who.key,
            Sticky::User => who.user.map(name),
            Sticky::Session => who.session.map(name),
            Sticky::Request => None,
        };
        let draw = uniform(mix(name(experiment), caller.unwrap_or(who.seed)));
        let all: f64 = self.arms.iter().map(|(_, weight)| weight).sum();
        let mut point = draw * all;
        for (arm, weight) in &self.arms {
            if point < *weight {
                return Some(arm);
            }
            point -= weight;
        }
        // Rounding may leave a hair behind the last.
        let mut last = self.arms.iter().rev();
        last.find(|(_, weight)| *weight > 0.0)
            .map(|(arm, _)| arm.as_str())
    }
}

impl Shadow {
    /// Whether a call is copied.
    #[must_use]
    pub fn copies(&self, experiment: &str, seed: u64) -> bool {
        uniform(mix(name(experiment), seed ^ 0x7368_6164_6f77)) < self.share
    }
}

/// The first split that the name of a call takes part in.
#[must_use]
pub fn split<'a>(all: &'a [Experiment], asked: &str) -> Option<(&'a str, &'a Split)> {
    all.iter().find_map(|one| match &one.trial {
        Trial::Split(split) if one.takes(asked) => Some((one.name.as_str(), split)),
        Trial::Split(_) | Trial::Shadow(_) => None,
    })
}

/// The shadows that the name of a call takes part in.
pub fn shadows<'a>(
    all: &'a [Experiment],
    asked: &str,
) -> impl Iterator<Item = (&'a str, &'a Shadow)> {
    all.iter().filter_map(move |one| match &one.trial {
        Trial::Shadow(shadow) if one.takes(asked) => Some((one.name.as_str(), shadow)),
        Trial::Split(_) | Trial::Shadow(_) => None,
    })
}

impl Experiment {
    fn takes(&self, asked: &str) -> bool {
        self.name == asked || self.on.iter().any(|name| name == asked)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn split_of(arms: &[(&str, f64)], sticky: Sticky) -> Split {
        Split {
            arms: arms
                .iter()
                .map(|(arm, weight)| ((*arm).to_owned(), *weight))
                .collect(),
            sticky,
        }
    }

    #[test]
    fn shares_hold_over_users() {
        let split = split_of(
            &[("a", 60.0), ("b", 30.0), ("c", 10.0), ("d", 0.0)],
            Sticky::User,
        );
        let mut counts = [0_u32; 4];
        for at in 0..100_000 {
            let user = format!("user-{at}");
            let who = Who {
                user: Some(&user),
                seed: at,
                ..Who::default()
            };
            let arm = split.arm("e", who).unwrap();
            counts[usize::from(arm.as_bytes()[0] - b'a')] += 1;
        }
        for (count, share) in counts.into_iter().zip([0.6, 0.3, 0.1, 0.0]) {
            assert!(
                (f64::from(count) / 100_000.0 - share).abs() < 0.005,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn experiments_draw_apart_and_strangers_draw_by_request() {
        let split = split_of(&[("a", 1.0), ("b", 1.0)], Sticky::Key);
        let arm = |experiment: &str, key| {
            let who = Who {
                key,
                seed: 3,
                ..Who::default()
            };
            split.arm(experiment, who) == Some("a")
        };
        let both = (0..10_000)
            .filter(|key| arm("one", Some(*key)) && arm("two", Some(*key)))
            .count();
        assert!((2_300..2_700).contains(&both), "{both}");
        let none = |seed| {
            split.arm(
                "one",
                Who {
                    seed,
                    ..Who::default()
                },
            )
        };
        assert!((0..64).any(|seed| none(seed) != none(0)));
    }

    proptest! {
        #[test]
        fn a_caller_stays_with_an_arm(user in "\\PC*", seeds in any::<(u64, u64)>(), keys in any::<(u64, u64)>()) {
            let at = |seed, key| Who { key: Some(key), user: Some(&user), session: None, seed };
            let (one, two) = (at(seeds.0, keys.0), at(seeds.1, keys.1));
            let split = split_of(&[("a", 0.2), ("b", 0.5), ("c", 0.3)], Sticky::User);
            assert_eq!(split.arm("e", one), split.arm("e", two));
            let keyed = Split { sticky: Sticky::Key, ..split };
            assert_eq!(keyed.arm("e", one), keyed.arm("e", Who { seed: seeds.1, ..one }));
        }
    }

    #[test]
    fn shadows_are_a_share() {
        let shadow = |share| Shadow {
            model: "p/m".to_owned(),
            share,
            most: None,
            timeout: Duration::from_secs(1),
        };
        let copied = (0..100_000)
            .filter(|seed| shadow(0.05).copies("s", *seed))
            .count();
        assert!((4_700..5_300).contains(&copied), "{copied}");
        assert!(
            (0..1_000).all(|seed| shadow(1.0).copies("s", seed) && !shadow(0.0).copies("s", seed))
        );
    }

    #[test]
    fn names_take_part() {
        let trial = Trial::Split(split_of(&[("x/y", 1.0)], Sticky::Key));
        let all = [Experiment {
            name: "e".to_owned(),
            on: vec!["auto".to_owned()],
            trial,
        }];
        assert!(split(&all, "auto").is_some() && split(&all, "e").is_some());
        assert!(split(&all, "x/y").is_none() && shadows(&all, "auto").next().is_none());
    }
}
