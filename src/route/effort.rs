//! What reasoning effort does to an answer: tokens thought, points of quality, and the room it must be left.
//!
//! The catalogue knows quality at the best effort and, for some families, at the default one. Everything between is
//! interpolated along the ladder below, our own rounded figures from the public gap between first token and stream
//! rate of some thirty models at two efforts each. Honest error: thinking tokens vary threefold either way between
//! families and tasks, quality by 4 points; measured answers replace the first within some calls.

use crate::catalog::Quality;
use crate::dialect::caps::{Effort, Kind, Reasoning};

/// One rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The level.
    pub effort: Effort,
    /// Tokens a model thinks before an answer to a hard question, typically.
    pub thinks: u32,
    /// Tenths of a point of the quality index that are lost against the model's most, typically.
    pub loses: u16,
    /// Output tokens below which the level is not worth asking for: it may spend them all on thinking.
    pub floor: u32,
}

/// Every level, rising.
pub const LADDER: [Rung; 7] = [
    rung(Effort::None, 0, 160, 16),
    rung(Effort::Minimal, 120, 130, 256),
    rung(Effort::Low, 400, 100, 512),
    rung(Effort::Medium, 1_200, 70, 1_024),
    rung(Effort::High, 2_500, 30, 2_048),
    rung(Effort::Xhigh, 6_000, 10, 4_096),
    rung(Effort::Max, 12_000, 0, 8_192),
];

/// Points of doubt, in tenths, that an interpolated quality has on top of its family's.
pub const INTERPOLATED_DOUBT: u16 = 40;

const fn rung(effort: Effort, thinks: u32, loses: u16, floor: u32) -> Rung {
    Rung {
        effort,
        thinks,
        loses,
        floor,
    }
}

/// The rung of a level.
#[must_use]
pub const fn on_ladder(effort: Effort) -> Rung {
    match effort {
        Effort::None => LADDER[0],
        Effort::Minimal => LADDER[1],
        Effort::Low => LADDER[2],
        Effort::Medium => LADDER[3],
        Effort::High => LADDER[4],
        Effort::Xhigh => LADDER[5],
        Effort::Max => LADDER[6],
    }
}

/// The level a model works at when nothing is said: known where it does not reason unasked, else a guess by kind.
#[must_use]
pub fn usual(reasoning: &Reasoning) -> Effort {
    if reasoning.on_by_default == Some(false) || reasoning.kind == Kind::None {
        return Effort::None;
    }
    let guess = match reasoning.kind {
        Kind::Adaptive | Kind::Always => Effort::High,
        Kind::Unknown if reasoning.levels.is_empty() => return Effort::None,
        Kind::Unknown | Kind::None | Kind::Effort | Kind::Budget | Kind::Toggle => Effort::Medium,
    };
    if reasoning.levels.is_empty() {
        guess
    } else {
        reasoning.nearest(guess)
    }
}

/// Tokens that are thought at a level. Models that decide themselves think less where little is asked.
#[must_use]
pub fn thinks(reasoning: &Reasoning, effort: Effort) -> u32 {
    let tokens = on_ladder(effort).thinks;
    match reasoning.kind {
        Kind::None => 0,
        Kind::Adaptive | Kind::Always => tokens / 2,
        Kind::Unknown | Kind::Effort | Kind::Budget | Kind::Toggle => tokens,
    }
}

/// What a quality rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The catalogue's figure for that level.
    #[default]
    Listed,
    /// The ladder, between or below the levels that have figures.
    Interpolated,
}

/// A quality, 0 to 1, and its doubt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grade {
    /// The figure.
    pub quality: f64,
    /// How far off it may be.
    pub doubt: f64,
    /// What it rests on.
    pub basis: Basis,
}

/// Quality at a level: the index at the best level, the index at the default one where known, and between and below
/// them the ladder's losses, stretched so that they pass through both (by a third at least, threefold at most).
#[must_use]
pub fn quality(known: &Quality, reasoning: &Reasoning, effort: Effort) -> Grade {
    let best = reasoning.levels.iter().copied().max();
    let usual = usual(reasoning);
    let top = best.unwrap_or(usual);
    let loss = |level: Effort| {
        on_ladder(level.min(top))
            .loses
            .saturating_sub(on_ladder(top).loses)
    };
    let index = f64::from(known.index.as_tenths());
    let fallen = known
        .at_default
        .map(|points| index - f64::from(points.as_tenths()));
    let doubt = f64::from(known.plus_minus) * 10.0;
    let (typical, guessed) = (f64::from(loss(usual)), f64::from(INTERPOLATED_DOUBT));
    let (tenths, guessed) = match fallen {
        Some(fallen) if effort == usual => (index - fallen, None),
        _ if effort >= top => (index, None),
        Some(fallen) if typical > 0.0 => {
            let stretch = (fallen / typical).clamp(1.0 / 3.0, 3.0);
            (index - f64::from(loss(effort)) * stretch, Some(guessed))
        }
        _ => (index - f64::from(loss(effort)), Some(guessed)),
    };
    Grade {
        quality: (tenths / 1000.0).clamp(0.0, 1.0),
        doubt: (doubt + guessed.unwrap_or(0.0)) / 1000.0,
        basis: guessed.map_or(Basis::Listed, |_| Basis::Interpolated),
    }
}

/// The ladder as a table.
#[must_use]
pub fn markdown() -> String {
    let head = "| effort | tokens thought before a hard answer | points of quality below the best | least output limit |\n\
                |---|--:|--:|--:|\n";
    let rows = LADDER.iter().map(|rung| {
        let (whole, tenths) = (rung.loses / 10, rung.loses % 10);
        format!(
            "| `{}` | {} | {whole}.{tenths} | {} |\n",
            rung.effort.as_str(),
            rung.thinks,
            rung.floor
        )
    });
    head.to_owned() + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use crate::catalog::Trust;
    use crate::catalog::family::Points;

    use super::*;

    fn levels(kind: Kind, levels: &[Effort], on_by_default: Option<bool>) -> Reasoning {
        Reasoning {
            kind,
            levels: levels.to_vec(),
            on_by_default,
            ..Reasoning::default()
        }
    }

    #[test]
    fn quality_passes_through_both_known_points_and_rises_with_effort() {
        let known = Quality {
            index: Points::tenths(825),
            at_default: Some(Points::tenths(697)),
            plus_minus: 3,
            trust: Trust::High,
        };
        let reasoning = levels(Kind::Effort, &Effort::ALL, Some(true));
        let at = |effort| quality(&known, &reasoning, effort);
        assert!((at(Effort::Max).quality - 0.825).abs() < 1e-9);
        assert!((at(Effort::Medium).quality - 0.697).abs() < 1e-9);
        assert!((at(Effort::Medium).doubt - 0.03).abs() < 1e-9);
        assert!((at(Effort::High).doubt - 0.07).abs() < 1e-9);
        let known = [Effort::Max, Effort::Medium].map(|effort| at(effort).basis);
        assert_eq!(known, [Basis::Listed; 2]);
        assert_eq!(at(Effort::High).basis, Basis::Interpolated);
        let all: Vec<f64> = Effort::ALL.map(|effort| at(effort).quality).to_vec();
        assert!(all.is_sorted(), "{all:?}");
    }

    #[test]
    fn what_does_not_reason_unasked_is_at_its_default_without_effort() {
        let known = Quality::own(Points::tenths(800));
        let quiet = levels(Kind::Adaptive, &[Effort::Low, Effort::High], Some(false));
        assert_eq!(usual(&quiet), Effort::None);
        assert!((quality(&known, &quiet, Effort::None).quality - 0.67).abs() < 1e-9);
        assert!((quality(&known, &quiet, Effort::High).quality - 0.80).abs() < 1e-9);
        let plain = levels(Kind::None, &[], None);
        assert_eq!(thinks(&plain, Effort::Max), 0);
        assert!((quality(&known, &plain, usual(&plain)).quality - 0.80).abs() < 1e-9);
        assert_eq!(usual(&levels(Kind::Always, &[], None)), Effort::High);
    }
}
