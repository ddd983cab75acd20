//! What a call may do and what it prefers: strategy, cap, lists. Data; whoever configures it makes it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::account::Money;
use crate::dialect::Mode;

use super::board::{Board, Endpoint};

/// How candidates are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By utility; a draw among those near the best.
    #[default]
    Utility,
    /// Strictly by expected cost; a draw among ties.
    Cost,
}

/// How much each thing counts: the whole of a strategy. Cost, time and risk count by the logarithm of their ratio, so
/// that twice as dear is as bad whatever the price; quality counts by its points, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// Of expected cost.
    pub cost: f64,
    /// Of expected time to completion.
    pub time: f64,
    /// Of the chance of failure.
    pub risk: f64,
    /// Of quality.
    pub quality: f64,
    /// Which share of its doubt is taken off quality.
    pub doubt: f64,
    /// The chance of failure that no one would notice: differences far below it count for nothing.
    pub grain: f64,
}

/// A named way to choose.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// Its name.
    pub name: Cow<'static, str>,
    /// How candidates are put in order.
    #[serde(default)]
    pub order: Order,
    /// What counts how much.
    #[serde(default)]
    pub weights: Weights,
    /// Quality below which nothing is taken unless the policy says otherwise, in tenths of a point.
    #[serde(default)]
    pub min_quality: u16,
}

impl Default for Weights {
    /// Those of `balanced`.
    fn default() -> Self {
        weights([0.5, 0.5, 0.5, 4.0], 0.0, 0.01)
    }
}

const fn weights(each: [f64; 4], doubt: f64, grain: f64) -> Weights {
    let [cost, time, risk, quality] = each;
    Weights {
        cost,
        time,
        risk,
        quality,
        doubt,
        grain,
    }
}

const fn strategy(name: &'static str, order: Order, weights: Weights, floor: u16) -> Strategy {
    Strategy {
        name: Cow::Borrowed(name),
        order,
        weights,
        min_quality: floor,
    }
}

/// The strategies that are always there, with their published weights.
pub const STRATEGIES: [Strategy; 4] = [
    strategy(
        "lowest-cost",
        Order::Cost,
        weights([1.0, 0.05, 0.2, 0.0], 0.0, 0.01),
        400,
    ),
    strategy(
        "balanced",
        Order::Utility,
        weights([0.5, 0.5, 0.5, 4.0], 0.0, 0.01),
        0,
    ),
    strategy(
        "fastest",
        Order::Utility,
        weights([0.01, 1.0, 0.05, 0.0], 0.0, 0.02),
        400,
    ),
    strategy(
        "max-reliability",
        Order::Utility,
        weights([0.02, 0.05, 1.0, 0.2], 1.0, 0.01),
        0,
    ),
];

impl Strategy {
    /// A strategy by its name; underscores, or nothing, may stand for its hyphens.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        static ALL: [Strategy; 4] = STRATEGIES;
        ALL.iter().find(|known| plain(&known.name).eq(plain(name)))
    }
}

/// The letters of a name. Every forced model is asked whether it is a strategy: nothing is copied for it.
fn plain(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '-' | '_'))
}

/// What a call may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The whole call, every attempt included.
    pub most: Money,
    /// What is done to keep within.
    pub mode: CapMode,
}

/// What is done to keep within a cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CapMode {
    /// The output limit is lowered until the worst case fits.
    #[default]
    Clamp,
    /// What does not fit as it was asked is out.
    Reject,
    /// The stream is ended at the cap; where it cannot be, as [`CapMode::Clamp`].
    Cut,
}

/// Who chose the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// The strategy does, and the effort with it.
    #[default]
    Open,
    /// The caller named it and leaves open who serves it: effort, quality and status stay as they are.
    Model,
}

/// What one call may do and prefers.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The strategy.
    pub strategy: &'a Strategy,
    /// The cap.
    pub cap: Option<Cap>,
    /// Quality below which nothing is taken, in tenths of a point; `None` leaves it to the strategy.
    pub min_quality: Option<u16>,
    /// What is done about what a model cannot express.
    pub mode: Mode,
    /// Who chose the model.
    pub naming: Naming,
    /// Providers that are on; `None` is all.
    pub on: Option<&'a Mask>,
    /// What the tenant and key may use; `None` is all.
    pub allowed: Option<&'a Mask>,
    /// What the caller or the pool names; `None` is all.
    pub only: Option<&'a Mask>,
    /// What the caller ignores.
    pub ignored: Option<&'a Mask>,
    /// Sites that this call has tried.
    pub tried: &'a [usize],
    /// Which share of calls may go to what is little known; 0 turns exploring off.
    pub explore: f64,
}

/// The share of calls that explore, unless a policy says otherwise.
pub const EXPLORE: f64 = 0.015;

impl<'a> Policy<'a> {
    /// A strategy and nothing else.
    #[must_use]
    pub const fn of(strategy: &'a Strategy) -> Self {
        Self {
            strategy,
            cap: None,
            min_quality: None,
            mode: Mode::Emulate,
            naming: Naming::Open,
            on: None,
            allowed: None,
            only: None,
            ignored: None,
            tried: &[],
            explore: EXPLORE,
        }
    }
}

/// A list of providers and models, looked up on a board once, so that a plan asks one bit of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    sites: Box<[u64]>,
}

impl Mask {
    /// The sites that any of some names means: a provider, `provider/model`, `provider:model`, a model, a family.
    #[must_use]
    pub fn of<S: AsRef<str>>(board: &Board, names: &[S]) -> Self {
        let mut sites = vec![0_u64; board.sites.len().div_ceil(64)];
        for (at, site) in board.sites.iter().enumerate() {
            let means = |name: &str| {
                let name = name.trim();
                let whole = name.len() == site.name.len()
                    && name.get(..site.slash) == Some(site.provider())
                    && name.get(site.slash + 1..) == Some(site.model())
                    && matches!(name.as_bytes().get(site.slash), Some(b'/' | b':'));
                whole || name == site.provider() || name == site.model() || *name == *site.family
            };
            if names.iter().any(|name| means(name.as_ref()))
                && let Some(word) = sites.get_mut(at / 64)
            {
                *word |= 1 << (at % 64);
            }
        }
        Self {
            sites: sites.into(),
        }
    }

    /// The sites of some places.
    #[must_use]
    pub fn sites(board: &Board, places: impl Iterator<Item = usize>) -> Self {
        let mut sites = vec![0_u64; board.sites.len().div_ceil(64)];
        for at in places {
            if let Some(word) = sites.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        Self {
            sites: sites.into(),
        }
    }

    /// Those that are on both lists.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let both = self.sites.iter().zip(&other.sites);
        Self {
            sites: both.map(|(left, right)| left & right).collect(),
        }
    }

    /// Whether an endpoint's site is on the list.
    #[must_use]
    pub fn has(&self, endpoint: &Endpoint) -> bool {
        let word = self.sites.get(endpoint.site / 64).copied().unwrap_or(0);
        word >> (endpoint.site % 64) & 1 == 1
    }

    /// Whether nothing is on the list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.iter().all(|word| *word == 0)
    }
}

/// The published table of strategies, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "| strategy | order | cost | time | risk | quality | doubt | grain | quality floor |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for strategy in &STRATEGIES {
        let order = match strategy.order {
            Order::Utility => "utility",
            Order::Cost => "expected cost",
        };
        let w = &strategy.weights;
        let floor = strategy.min_quality / 10;
        let _ = writeln!(
            out,
            "| `{}` | {order} | {} | {} | {} | {} | {} | {} | {floor} |",
            strategy.name, w.cost, w.time, w.risk, w.quality, w.doubt, w.grain
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::dialect::Caps;
    use crate::route::board::Site;

    use super::*;

    #[test]
    fn strategies_go_by_every_spelling_and_own_ones_are_data() {
        for name in ["lowest-cost", "lowest_cost", "lowestcost"] {
            assert_eq!(Strategy::named(name).unwrap().order, Order::Cost);
        }
        assert!(Strategy::named("auto").is_none());
        let own: Strategy = toml::from_str(
            "name = \"mine\"\nmin_quality = 600\nweights = { quality = 9.0, cost = 0.1 }",
        )
        .unwrap();
        assert_eq!(
            (own.order, own.weights.quality, own.weights.time),
            (Order::Utility, 9.0, 0.5)
        );
        assert!(toml::from_str::<Strategy>("name = \"x\"\nweights = { speed = 1.0 }").is_err());
    }

    #[test]
    fn names_of_every_kind_are_found() {
        let mut board = Board::default();
        for (provider, model, family) in [("a", "x", "f"), ("a", "y/z", "f"), ("b", "x", "g")] {
            board.push(Site::new(
                provider,
                model,
                family,
                &Arc::new(Caps::default()),
            ));
        }
        let table = [
            ("a", [true, true, false]),
            ("x", [true, false, true]),
            ("f", [true, true, false]),
            ("b/x", [false, false, true]),
            ("a:y/z", [false, true, false]),
            ("a/y", [false, false, false]),
            ("a/x ", [true, false, false]),
        ];
        for (name, wanted) in table {
            let mask = Mask::of(&board, &[name]);
            let found: Vec<bool> = board
                .endpoints
                .iter()
                .map(|endpoint| mask.has(endpoint))
                .collect();
            assert_eq!(found, wanted, "{name}");
            assert_eq!(mask.is_empty(), wanted == [false; 3]);
        }
    }
}
